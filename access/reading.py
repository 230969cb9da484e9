"""How the reader of a page has times and numbers written: named for one request, forgotten after it.

What is not the reader's own stays as it is for everyone: market data and charts, the chain, exports and the API are in
UTC and write a decimal point (decision 0038).
"""

from __future__ import annotations

import datetime as dt
from contextvars import ContextVar
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils import timezone
from django.utils.functional import lazystr

UTC: Final = "UTC"
POINT: Final = "point"
COMMA: Final = "comma"
# Stands in a kept sentence for a moment that is kept beside it, so that each reader has it by their own clock.
MOMENT: Final = "{moment}"
_AREAS: Final = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
_SWAPPED: Final = str.maketrans(",.", ".,")
_notation: ContextVar[str] = ContextVar("notation", default=POINT)


def name_reader(*, zone: str, notation: str) -> None:
    """Write times and numbers as this reader wants them, until they are forgotten; an unknown zone is UTC."""
    try:
        timezone.activate(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        timezone.activate(dt.UTC)
    _notation.set(notation)


def forget_reader() -> None:
    """Write as for everyone again."""
    timezone.deactivate()
    _notation.set(POINT)


def list_zones() -> list[str]:
    """Return the names that can be chosen: UTC first, then places by area."""
    return [UTC, *sorted(name for name in available_timezones() if name.partition("/")[0] in _AREAS)]


def zone_name() -> str:
    """Name the reader's zone."""
    return timezone.get_current_timezone_name()


def in_zone(words: str) -> str:
    """Return a label that ends with the reader's zone, whoever reads it."""
    return cast("str", lazystr(_Named(words)))


def localised(value: dt.datetime) -> dt.datetime:
    """Bring a time to the reader's zone."""
    return timezone.localtime(value)


def offset(local: dt.datetime) -> str:
    """Write how far a time's clock is from UTC, such as UTC, UTC+1 or UTC−3:30."""
    minutes = round((local.utcoffset() or dt.timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    size = f"{hours}:{rest:02d}" if rest else f"{hours}"
    return f"{UTC}{'−' if minutes < 0 else '+'}{size}" if minutes else UTC


def clock(local: dt.datetime) -> str:
    """Write a time with how far its clock is from UTC, such as 15 Jan 13:00 UTC+1."""
    return f"{local:%d %b %H:%M} {offset(local)}"


def with_moment(text: str, moment: dt.datetime | None, zone: dt.tzinfo | None = None) -> str:
    """Write a kept sentence with its moment by a zone's clock, the reader's unless another is given."""
    return text if moment is None else text.replace(MOMENT, clock(timezone.localtime(moment, zone)))


def written(text: str) -> str:
    """Turn a number with a decimal point and commas between thousands into the reader's notation."""
    return text.translate(_SWAPPED) if _notation.get() == COMMA else text


class _Named:
    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return f"{self.words}, {zone_name()}"
