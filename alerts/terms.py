"""When a rule speaks: only when something begins to hold, and again only after it had clearly ceased. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

# A distance has to grow, and a chance to fall, by so much of the threshold before it is told again.
SLACK: Final = 0.2


def begun(*, values: Mapping[str, float], threshold: float, is_upward: bool, before: Sequence[str]) -> list[str]:
    """Return what holds now, of ``values`` by name: all that ``before`` did not hold is news.

    is_upward: it holds from the threshold on upwards (a chance), else downwards (a distance). What held goes on to
    hold until it has gone back by SLACK of the threshold; what is not among the values any more holds no longer.
    """
    sign = 1.0 if is_upward else -1.0
    eased = threshold * (1.0 - sign * SLACK)
    kept = set(before)
    return [name for name, value in values.items() if sign * value >= sign * (eased if name in kept else threshold)]


def is_quiet(*, now: dt.datetime, zone: ZoneInfo, start: dt.time | None, end: dt.time | None) -> bool:
    """Tell whether a moment lies in the quiet hours, from ``start`` up to ``end`` on the clocks of a time zone.

    Hours that begin in the evening and end in the morning run over midnight. Without hours it is never quiet.
    """
    if start is None or end is None:
        return False
    local = now.astimezone(zone).time()
    return start <= local < end if start < end else local >= start or local < end
