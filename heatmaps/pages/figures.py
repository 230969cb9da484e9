"""Numbers as people read them: true minus, en dash in ranges, a unit always, and a dash where nothing is known."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

DASH: Final = "—"
MINUS: Final = "−"  # a true minus is as wide as a plus
EN_DASH: Final = "–"  # noqa: RUF001  # ranges
_STEPS: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def decimals(tick_size: object) -> int:
    """Count the digits after the point that a tick of this size needs."""
    text = format(float(str(tick_size)), ".10f").rstrip("0")
    return len(text.partition(".")[2])


def known(value: float | None) -> bool:
    """Tell a number from a hole."""
    return value is not None and math.isfinite(value)


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Keep so many significant digits; None where nothing is known."""
    return float(f"{value:.{digits}g}") if value is not None and math.isfinite(value) else None


def price(value: float | None, digits: int) -> str:
    """Write a price with the digits of its tick."""
    return f"{value:,.{digits}f}" if value is not None and math.isfinite(value) else DASH


def price_range(low: float | None, high: float | None, digits: int) -> str:
    """Write a band of prices."""
    return f"{price(low, digits)}{EN_DASH}{price(high, digits)}"


def signed(value: float | None, *, digits: int = 2, unit: str = "%") -> str:
    """Write a change with its sign."""
    if value is None or not math.isfinite(value):
        return DASH
    sign = MINUS if value < 0 else "+"
    return f"{sign}{abs(value):.{digits}f}{unit}"


def usd(value: float | None) -> str:
    """Write an amount with three significant digits, such as $1.39B or $613M."""
    return f"${_short(value)}" if value is not None and math.isfinite(value) else DASH


def usd_range(low: float | None, high: float | None) -> str:
    """Write an interval, such as $465M-809M (with an en dash)."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    return f"${_short(low)}{EN_DASH}{_short(high)}"


def _short(value: float) -> str:
    for step, letter in _STEPS:
        if abs(value) >= step * 0.9995:
            scaled = value / step
            return f"{scaled:.{_digits(scaled)}f}{letter}"
    return f"{value:.0f}"


def _digits(scaled: float) -> int:
    size = abs(scaled)
    if size >= 99.95:  # noqa: PLR2004  # three significant digits
        return 0
    return 1 if size >= 9.995 else 2  # noqa: PLR2004


def pct_away(value: float, reference: float) -> float:
    """Return the distance from the reference [%]."""
    return (value / reference - 1.0) * 100.0


def moment(value: dt.datetime | None) -> str:
    """Write a time to the minute; the page says once that all times are UTC."""
    return value.astimezone(dt.UTC).strftime("%d %b %H:%M") if value else DASH


def day(value: dt.datetime | None) -> str:
    """Write a day."""
    return f"{value.astimezone(dt.UTC):%-d %b %Y}" if value else DASH


def age(span: dt.timedelta) -> str:
    """Write how long ago something was, in one unit."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} d"


def epoch_ms(value: dt.datetime | None) -> int | None:
    """Return epoch milliseconds, or None for a hole."""
    return None if value is None else round(value.timestamp() * 1000)
