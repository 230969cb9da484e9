"""One keyword-only maker per model."""

from __future__ import annotations

from decimal import Decimal

from market.models import Instrument


def make_instrument(
    *, venue: str = "binance", symbol: str = "BTCUSDT", is_live: bool = False, is_simulated: bool = False
) -> Instrument:
    """Store an instrument."""
    return Instrument.objects.create(
        venue=venue,
        symbol=symbol,
        base=symbol[:3],
        quote="USDT",
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        is_live=is_live,
        is_simulated=is_simulated,
    )
