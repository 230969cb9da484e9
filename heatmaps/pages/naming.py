"""What instruments and venues are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market import queries as market

if TYPE_CHECKING:
    from market.models import Instrument


def title(instrument: Instrument) -> str:
    """Head a page about an instrument."""
    kind = "across venues" if instrument.is_pair else "perpetual"
    return f"{instrument.base}-{instrument.quote} {kind}"


def venue_label(instrument: Instrument) -> str:
    """Write a venue's name as people do."""
    if instrument.is_simulated:
        return "Simulated market"
    return "All venues" if instrument.is_pair else market.venue_name(instrument.venue)
