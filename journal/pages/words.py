"""How the journal writes numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from access.reading import written

DASH: Final = "—"


def digits_of(tick: Decimal) -> int:
    """Decimals of a tick."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def price_text(value: Decimal | None, digits: int) -> str:
    """Show the tick's decimals, and more where the trader wrote more."""
    if value is None:
        return DASH
    return written(f"{value:,.{max(digits, digits_of(value))}f}")


def number_text(value: str | Decimal | None, digits: int) -> str:
    """Show a number with so many decimals; a dash for none."""
    return DASH if value is None else written(f"{Decimal(value):,.{digits}f}").replace("-", "−")


def signed(value: float | Decimal, digits: int = 2) -> str:
    """Write a number with its sign and a true minus; what rounds to nothing has none."""
    text = f"{value:+,.{digits}f}"
    return written((text if text.strip("+-0.") else text[1:]).replace("-", "−"))


def zone_text(zone: Any) -> str:  # noqa: ANN401  # another room's row
    """Name a zone among others of its map: label, side and band."""
    digits = digits_of(zone.heatmap.instrument.tick_size)
    low, high = (number_text(Decimal(edge), digits) for edge in (zone.price_low, zone.price_high))
    return f"{zone.label}, {zone.get_position_side_display().lower()}, {low} to {high}"


def share_text(share: Decimal | str | None, digits: int = 1) -> str:
    """Show a fraction as a percentage."""
    return DASH if share is None else written(f"{Decimal(share) * 100:.{digits}f} %")


def short_text(value: Decimal, digits: int = 5) -> str:
    """Show a number with so many significant digits."""
    return written(f"{round(value, digits - 1 - value.adjusted()).normalize():,f}") if value else "0"


def whole_text(value: Decimal) -> str:
    """Show a number with all of its digits and no noughts after them."""
    return written(f"{value.normalize():,f}")


def usd_text(amount: str | None) -> str:
    """Write an amount with three significant digits, such as $1.39B; a dash where there is none."""
    if amount is None:
        return DASH
    for scale, letter in ((9, "B"), (6, "M"), (3, "K")):
        scaled = Decimal(amount).scaleb(-scale)
        # What rounds up to a thousand of the smaller unit is one of this.
        if scaled >= Decimal("0.9995"):
            return written(f"${scaled:.{_places(scaled)}f}{letter}")
    return f"${Decimal(amount):.0f}"


def _places(scaled: Decimal) -> int:
    """Digits after the point that leave three in all."""
    if scaled >= Decimal("99.95"):
        return 0
    return 1 if scaled >= Decimal("9.995") else 2


def band_text(zone: Any) -> str:  # noqa: ANN401  # another room's row
    """Write the prices of a zone."""
    tick = zone.heatmap.instrument.tick_size.normalize()
    low, high = (Decimal(repr(edge)).quantize(tick) for edge in (zone.price_low, zone.price_high))
    return written(f"{low:,f} to {high:,f}")


def estimate_text(zone: Any) -> str:  # noqa: ANN401  # another room's row
    """Write the estimate of a zone with its interval."""
    middle, low, high = (usd_text(repr(amount)) for amount in (zone.usd, zone.usd_low, zone.usd_high))
    return f"{middle}, 80 %: {low} to {high}"
