"""Which venues are to be left alone, and which are being listened to; the database's clock decides."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models.functions import Now

from market.models import FeedState, VenueState

# The feed describes its lines each five seconds.
_SILENT: Final = dt.timedelta(seconds=30)


def resting_venues() -> set[str]:
    """Return the venues that nobody may ask now: banned, told to wait, or away."""
    resting = VenueState.objects.filter(failures__gt=0, retry_at__gt=Now())
    return set(resting.values_list("venue", flat=True))


def heard_venues() -> set[str]:
    """Return the venues to which the feed has a live websocket."""
    heard = FeedState.objects.filter(connected_at__isnull=False, described_at__gt=Now() - _SILENT)
    return set(heard.values_list("venue", flat=True))
