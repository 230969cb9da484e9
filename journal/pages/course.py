"""The course of results as pictures with the same in words: equity in R, streaks, a fan of what may follow, a month."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from access.reading import written
from journal.pages.verdict import PHASES
from journal.pages.words import signed
from journal.statistics import Gate
from journal.statistics.courses import FALLS, SHARES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journal.queries import Course, Day, Outcome
    from journal.statistics import Fan, Streaks

# The pictures, in their own units; the table holds the newest plans.
_WIDTH, _HEIGHT, _LEFT, _FOOT = 640, 240, 64, 22
_ROWS: Final = 200
_STOPS: Final = (10, 25, 50, 100)
_STEPS: Final = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_MARKS: Final = 6


def describe_course(found: Course) -> dict[str, Any]:
    """Say how results followed each other; below ten closed plans only how many there are."""
    is_drawn = found.gate is not Gate.COUNTS
    return {
        "count": len(found.closed),
        "is_drawn": is_drawn,
        "is_few": found.gate is Gate.FEW,
        "equity": _equity(found) if is_drawn else None,
        "figures": _figures(found) if is_drawn else [],
        "rows": _rows(found) if is_drawn else [],
        "fan": _fan(found.fan) if found.fan else None,
    }


def describe_month(days: Mapping[dt.date, Day], month: dt.date, today: dt.date) -> dict[str, Any]:
    """Lay a month out in weeks; a day on which nothing ended is empty, which is not 0."""
    weeks = [
        [_day(days.get(date), date, month, today) for date in week]
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    following = (month + dt.timedelta(days=32)).replace(day=1)
    return {
        "title": f"{month:%B %Y}",
        "weeks": weeks,
        "names": list(calendar.day_abbr),
        "days": [_day(days[date], date, month, today) for date in sorted(days)],
        "before": (month - dt.timedelta(days=1)).strftime("%Y-%m"),
        "after": following.strftime("%Y-%m") if following <= today else "",
    }


def bounds_text(low: float, high: float) -> str:
    """Write worst and best; one number where they are one."""
    worst, best = signed(low), signed(high)
    return f"{worst} R" if worst == best else f"{worst} to {best} R"


def _day(found: Day | None, date: dt.date, month: dt.date, today: dt.date) -> dict[str, Any]:
    bounds = found.bounds if found else None
    return {
        "date": date,
        "is_other": date.month != month.month,
        "is_today": date == today,
        "count": len(found.ended) if found else 0,
        "result": bounds_text(*bounds) if bounds else "",
        "is_lost": bool(bounds and bounds[0] < 0),
        "plans": [_ended(one) for one in found.ended] if found else [],
    }


def _ended(one: Outcome) -> dict[str, Any]:
    result = "no result" if one.low is None or one.high is None else bounds_text(one.low, one.high)
    return {"plan": one.plan, "phase": PHASES.get(one.phase, one.phase), "result": result}


def _figures(found: Course) -> list[tuple[str, str, str]]:
    rows = [("Sum", bounds_text(found.low[-1], found.high[-1]), "worst and best courses")]
    if found.shape is not None:
        rows.append(("Deepest fall", written(f"{found.shape.drawdown:.2f} R"), "of the worst courses"))
    if found.streaks is not None:
        rows.append(("Longest row of losses", str(found.streaks.longest), _by_chance(found.streaks)))
    return rows


def _by_chance(found: Streaks) -> str:
    return (
        f"by chance alone, in other orders of the same results: {found.low} to {found.high} in 95 %, "
        f"so long or longer in {share_text(found.chance)}"
    )


def share_text(share: float) -> str:
    """Return a share of draws in whole per cent; draws never say never, nor always."""
    least, most = 0.01, 0.99
    if share > most:
        return "more than 99 %"
    return "less than 1 %" if share < least else f"{share * 100:.0f} %"


def _rows(found: Course) -> list[dict[str, Any]]:
    newest = list(zip(found.closed, found.low, found.high, strict=True))[-_ROWS:]
    return [{**_ended(one), "sum": bounds_text(low, high)} for one, low, high in reversed(newest)]


def _equity(found: Course) -> dict[str, Any]:
    low, high = (0.0, *found.low), (0.0, *found.high)
    frame = _Frame(len(low), min(low), max(high))
    return {
        **frame.told(),
        "low": frame.line(low),
        "high": frame.line(high) if low != high else "",
        "label": f"Running sum of {len(found.closed)} closed plans: {bounds_text(low[-1], high[-1])} at the end",
    }


def _fan(found: Fan) -> dict[str, Any]:
    frame = _Frame(found.horizon + 1, min(found.lines[0]), max(found.lines[-1]))
    stops = [stop for stop in _STOPS if stop <= found.horizon]
    return {
        **frame.told(),
        "wide": frame.band(found.lines[0], found.lines[-1]),
        "near": frame.band(found.lines[1], found.lines[-2]),
        "middle": frame.line(found.lines[2]),
        "horizon": found.horizon, "count": found.count, "draws": written(f"{found.draws:,}"), "seed": found.seed,
        "label": f"After {found.horizon} more plans: {signed(found.lines[0][-1], 1)} to "
                 f"{signed(found.lines[-1][-1], 1)} R in nine of ten draws",
        "shares": [f"{share * 100:.0f} %" for share in SHARES],
        "rows": [(stop, [signed(line[stop], 1) for line in found.lines]) for stop in stops],
        "falls": [
            (f"{share * 100:.0f} %", written(f"{fall:.1f} R")) for share, fall in zip(FALLS, found.falls, strict=True)
        ],
        "streaks": [(length, share_text(chance)) for length, chance in found.streaks],
        "below": share_text(found.below),
    }  # fmt: skip


class _Frame:
    """Where running sums lie in a picture."""

    def __init__(self, count: int, least: float, most: float) -> None:
        room = (most - least) * 0.05 or 1.0
        self.least, self.most = least - room, most + room
        self.across = (_WIDTH - _LEFT - 8) / max(1, count - 1)

    def x(self, place: int) -> str:
        return f"{_LEFT + place * self.across:.1f}"

    def y(self, value: float) -> str:
        return f"{8 + (self.most - value) / (self.most - self.least) * (_HEIGHT - _FOOT - 8):.1f}"

    def line(self, values: Sequence[float]) -> str:
        return " ".join(f"{self.x(place)},{self.y(value)}" for place, value in enumerate(values))

    def band(self, low: Sequence[float], high: Sequence[float]) -> str:
        back = " ".join(f"{self.x(place)},{self.y(low[place])}" for place in reversed(range(len(low))))
        return f"{self.line(high)} {back}"

    def told(self) -> dict[str, Any]:
        span = self.most - self.least
        step = next((one for one in _STEPS if span / one <= _MARKS), _STEPS[-1])
        first = int(self.least // step) + 1
        marks = [place * step for place in range(first, int(self.most // step) + 1)]
        return {
            "width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "right": _WIDTH - 8,
            "lines": [(self.y(mark), f"{mark:+g}".replace("-", "−") if mark else "0", not mark) for mark in marks],
        }  # fmt: skip
