"""Times, lengths and names as people read them. All times are UTC; the page says so once."""

from __future__ import annotations

import datetime as dt
from typing import Final

DASH: Final = "—"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SERIES: Final = {
    "bars": "Bars",
    "mark_bars": "Mark price bars",
    "open_interest": "Open interest",
    "funding": "Funding",
    "liquidations": "Liquidations",
    "liquidation_totals": "Liquidation totals",
    "depth": "Depth",
    "account_ratio": "Long/short accounts",
    "terms": "Contract terms",
    "brackets": "Leverage brackets",
    "file": "File",
}
SERIES: Final = tuple(_SERIES)


def series(name: str, timeframe: int = 0) -> str:
    """Write a series' name, with the length of its rows where there may be several."""
    text = _SERIES.get(name, name.replace("_", " ").capitalize())
    return f"{text} {length(timeframe)}" if timeframe and name.endswith(("bars", "totals")) else text


def order(name: str) -> int:
    """Return a series' place among the others."""
    return SERIES.index(name) if name in SERIES else len(SERIES)


def length(seconds: int) -> str:
    """Write how long a row is."""
    for unit, letter in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {letter}"
    return f"{seconds} s"


def moment(at: dt.datetime | None) -> str:
    """Write a time to the minute."""
    return at.astimezone(dt.UTC).strftime("%d %b %Y %H:%M") if at else DASH


def span(start: dt.datetime, end: dt.datetime) -> str:
    """Write from when to when, the day once where it is the same."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%d %b %H:%M}"
    return f"{start:%d %b %H:%M} to {until}"


def age(since: dt.timedelta) -> str:
    """Write how long something is, in one unit."""
    seconds = max(0, int(since.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} d"


def percent(share: float) -> str:
    """Write a share; one that is not whole never reads 100 %."""
    if share >= 1:
        return "100%"
    return f"{min(share * 100, 99.99):.2f}%" if share > 0.99 else f"{share * 100:.1f}%"  # noqa: PLR2004 where digits count


def sampling(text: str) -> str:
    """Say which of a venue's liquidations are public."""
    if text == "none":
        return "none published"
    if text == "all":
        return "all are published"
    return f"{text}: a lower bound" if text else "nobody knows which are published"
