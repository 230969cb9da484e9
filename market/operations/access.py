"""How this installation reaches venues: through the shared gate, and at another address where the operator says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal

from django.conf import settings

from market.sources.base import Access

from .budget import BACKFILL_PATIENCE_S, BACKFILL_SHARE, SharedGate

if TYPE_CHECKING:
    from market.sources.base import Connection, Venue

_kept: Final = threading.local()


def access_for(venue: Venue, *, purpose: Literal["live", "backfill"] = "live") -> Access:
    """Return the way to a venue; back-fill leaves head-room in the budget for what is live."""
    budget = venue.budget.times(settings.CLOCK_SPEED)
    gate = SharedGate(venue.slug, budget)
    if purpose == "backfill":
        gate = SharedGate(venue.slug, budget, share=BACKFILL_SHARE, patience_s=BACKFILL_PATIENCE_S)
    return Access(gate=gate, address=settings.VENUES_URL or None)


def connection_to(venue: Venue) -> Connection:
    """Return this thread's live way to a venue's REST side, the same one as the last time.

    Making a client costs more than a question does, and a new one would shake hands with the venue anew.
    """
    address, last = settings.VENUES_URL, getattr(_kept, venue.slug, None)
    if last is None or last[0] is not venue or last[1] != address:
        last = (venue, address, venue.connect(access_for(venue)))
        setattr(_kept, venue.slug, last)
    connection: Connection = last[2]
    return connection
