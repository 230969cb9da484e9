"""Numbers as the calculators write them, with their unit and a true minus."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from access.reading import written

DASH: Final = "—"
_SIGNIFICANT: Final = 8


def plain(value: Decimal) -> str:
    """Write a number as a form takes it: no exponent, no separators, no trailing zeros."""
    return format(value.normalize(), "f")


def number(value: Decimal, digits: int | None = None) -> str:
    """Write a number with separators; without ``digits`` to eight significant ones, trailing zeros dropped."""
    if digits is None:
        digits = max(0, min(12, _SIGNIFICANT - 1 - value.adjusted())) if value else 0
        rounded = value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN).normalize()
        text = f"{rounded:,f}"
    else:
        text = f"{value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN):,f}"
    return written(text).replace("-", "\N{MINUS SIGN}")


def percent(share: Decimal | float, digits: int = 2) -> str:
    """Write a fraction in percent."""
    return f"{number(Decimal(repr(share)) * 100 if isinstance(share, float) else share * 100, digits)} %"


def digits_of(step: Decimal) -> int:
    """Return the decimals of a step such as a tick."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
