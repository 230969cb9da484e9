"""How the double's own tests ask it: plain HTTP, and ccxt pointed at it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import ccxt  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from tests.double.server import Double

HOST: Final = re.compile(r"^(https?|wss?)://[^/]+")


def get(double: Double, path: str, **query: object) -> Any:  # noqa: ANN401 whatever JSON holds
    """Read one path, venue's slug first."""
    with urlopen(f"{double.address}/{path}?{urlencode(query)}", timeout=10) as response:
        return json.load(response)


def post(double: Double, path: str, body: object) -> Any:  # noqa: ANN401 whatever JSON holds
    """Post JSON."""
    request = Request(f"{double.address}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as response:
        return json.load(response)


def pointed(name: str, double: Double, slug: str, **options: Any) -> Any:  # noqa: ANN401 ccxt has no types
    """Return a ccxt exchange whose every address lies below the double's."""
    exchange = getattr(ccxt, name)({"enableRateLimit": False, **options})
    exchange.urls["api"] = _moved(exchange, exchange.urls["api"], f"{double.address}/{slug}")
    return exchange


def _moved(exchange: Any, urls: Any, address: str) -> Any:  # noqa: ANN401 a tree of strings
    if isinstance(urls, dict):
        return {name: _moved(exchange, url, address) for name, url in urls.items()}
    if not isinstance(urls, str):
        return urls
    base = address if urls.startswith("http") else address.replace("http", "ws", 1)
    return HOST.sub(base, exchange.implode_hostname(urls))
