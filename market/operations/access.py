"""How this installation reaches venues: through the shared gate, and at another address where the operator says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.conf import settings

from market.sources.base import Access

from .budget import BACKFILL_PATIENCE_S, BACKFILL_SHARE, SharedGate

if TYPE_CHECKING:
    from market.sources.base import Venue


def access_for(venue: Venue, *, purpose: Literal["live", "backfill"] = "live") -> Access:
    """Return the way to a venue; back-fill leaves head-room in the budget for what is live."""
    gate = SharedGate(venue.slug, venue.budget)
    if purpose == "backfill":
        gate = SharedGate(venue.slug, venue.budget, share=BACKFILL_SHARE, patience_s=BACKFILL_PATIENCE_S)
    return Access(gate=gate, address=settings.VENUES_URL or None)
