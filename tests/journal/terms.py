"""A plan's form filled in, and what a page says to its reader."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from django.http import HttpResponse, HttpResponseBase

NOW: Final = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
SOON: Final = NOW + dt.timedelta(days=3)
TERMS: Final[dict[str, Any]] = {
    "direction": "long",
    "entry": "59200",
    "invalidation": "58600",
    "target": "61000",
    "risk_pct": "0.5",
    "thesis": "It may bounce.",
    "expires_at": SOON.strftime("%Y-%m-%dT%H:%M"),
}


def text(page: HttpResponseBase) -> str:
    """The words of a page, without its tags."""
    assert isinstance(page, HttpResponse)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
