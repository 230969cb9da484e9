"""How this installation reaches venues: through the shared gate, and at another address where the operator says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from django.conf import settings

from market.sources.base import Access

from .budget import BACKFILL_PATIENCE_S, BACKFILL_SHARE, JOB_PATIENCE_S, SharedGate

if TYPE_CHECKING:
    from market.sources.base import Connection, Venue

_kept: Final = threading.local()
Purpose: TypeAlias = Literal["live", "job", "backfill"]


def access_for(venue: Venue, *, purpose: Purpose = "live") -> Access:
    """Return the way to a venue; back-fill leaves head-room in the budget for what is live, a job does not wait."""
    budget = venue.budget.times(settings.CLOCK_SPEED)
    gate = SharedGate(venue.slug, budget)
    if purpose == "backfill":
        gate = SharedGate(venue.slug, budget, share=BACKFILL_SHARE, patience_s=BACKFILL_PATIENCE_S)
    elif purpose == "job":
        gate = SharedGate(venue.slug, budget, patience_s=JOB_PATIENCE_S)
    return Access(gate=gate, address=settings.VENUES_URL or None)


def connection_to(venue: Venue, *, purpose: Purpose = "live") -> Connection:
    """Return this thread's way to a venue's REST side, the same one as the last time.

    Making a client costs more than a question does, and a new one would shake hands with the venue anew.
    """
    address, name = settings.VENUES_URL, f"{purpose} {venue.slug}"
    last = getattr(_kept, name, None)
    if last is None or last[0] is not venue or last[1] != address:
        last = (venue, address, venue.connect(access_for(venue, purpose=purpose)))
        setattr(_kept, name, last)
    connection: Connection = last[2]
    return connection
