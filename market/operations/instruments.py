"""Instruments come into being when their first data does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from market.models import Instrument
from market.sources import load_source
from market.sources.base import SourceError, is_venue

if TYPE_CHECKING:
    from market.sources.base import InstrumentFacts


def ensure_instruments(*, slug: str) -> list[Instrument]:
    """Make or update every instrument that a source offers, live from now on; raise SourceError."""
    source = load_source(slug)
    if is_venue(source):
        raise SourceError(f"{slug} is not read yet.", permanent=True)
    return [
        ensure_instrument(venue=source.slug, facts=facts, is_simulated=source.is_simulated, is_live=True)
        for facts in source.instruments()
    ]


def ensure_instrument(*, venue: str, facts: InstrumentFacts, is_simulated: bool, is_live: bool) -> Instrument:
    """Return the instrument, made or brought up to date from the venue's own facts."""
    instrument, _ = Instrument.objects.update_or_create(
        venue=venue,
        symbol=facts.symbol,
        defaults={
            "base": facts.base,
            "quote": facts.quote,
            "contract_type": facts.contract_type,
            "contract_size": facts.contract_size,
            "tick_size": Decimal(facts.tick_size),
            "lot_size": Decimal(facts.lot_size),
            "is_simulated": is_simulated,
            "is_live": is_live,
        },
    )
    return instrument
