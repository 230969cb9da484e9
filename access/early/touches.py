"""Where someone came from, told by the address of the page alone: no cookie, no address of a page, no person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.core import signing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

_MARK: Final = "utm_"
_NAMES: Final = ("source", "medium", "campaign")
_UNFIT: Final = re.compile(r"[^\w .:/+-]+")
_MOST: Final = 60
_SALT: Final = "access.early.touch"
REFERRAL: Final = "ref"
DIRECT: Final = "direct"
DAYS: Final = 30


def read(*, query: Mapping[str, str], referrer: str, host: str, path: str) -> dict[str, str]:
    """Return utm_source, utm_medium, utm_campaign, the referrer's host, the page and the referral code, where told."""
    found = {name: _clean(query.get(_MARK + name, "")) for name in _NAMES}
    away = (
        urlsplit(referrer).hostname or ""
        if referrer.startswith(("http://", "https://")) and "[" not in referrer
        else ""
    )
    found |= {"referrer": "" if away == host else _clean(away), "path": _clean(path)}
    found[REFERRAL] = re.sub(r"[^\w-]", "", query.get(REFERRAL, ""))[:16]
    return {name: value for name, value in found.items() if value}


def of_request(request: HttpRequest) -> dict[str, str]:
    """Read where the visitor of a page came from."""
    referrer, host = request.headers.get("Referer", ""), request.get_host().partition(":")[0]
    return read(query=request.GET.dict(), referrer=referrer, host=host, path=request.path)


def pack(touch: Mapping[str, str]) -> str:
    """Write a touch for a hidden field, signed: nobody else fills it in."""
    return signing.dumps(dict(touch), salt=_SALT)


def unpack(text: str) -> dict[str, str]:
    """Read a hidden field; what is not ours or too old says nothing."""
    try:
        found: Any = signing.loads(text, salt=_SALT, max_age=DAYS * 86_400)
    except signing.BadSignature:
        return {}
    return dict(found)


def source_of(touch: Mapping[str, str]) -> str:
    """Name where a touch came from in one word."""
    if touch.get(REFERRAL):
        return "referral"
    return touch.get("source") or touch.get("referrer") or DIRECT


def _clean(text: str) -> str:
    return _UNFIT.sub("", text)[:_MOST].strip()
