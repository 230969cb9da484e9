"""The e-mail of this room."""

from __future__ import annotations

from typing import Final

from access.mail import declare

DIGEST: Final = declare(
    "alerts/digest",
    is_letter=True,
    sample={
        "count": 2,
        "more": 0,
        "lines": ["15 Jan 12:00 UTC  BTC-USDT: data is stale, the newest bar ended 15 Jan 11:58 UTC."],
        "link": "/alerts/",
    },
)
