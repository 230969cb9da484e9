"""What a plan takes from its zone."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any


def near_edge(zone: Any) -> Decimal:  # noqa: ANN401  # another room's row
    """Return the edge of a zone that price meets first, on its tick."""
    edge = zone.price_high if zone.position_side > 0 else zone.price_low
    tick: Decimal = zone.heatmap.instrument.tick_size
    return (Decimal(repr(edge)) / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick
