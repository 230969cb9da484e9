"""Which venues nothing can come from now, since when, in the words of the data page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from heatmaps.pages import figures
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt

    from market.models import Instrument
    from market.queries import VenueHealth

_KEPT: Final = "heatmaps:venues"
# What pages say of an outage may be so old.
_KEEP_SECONDS: Final = 5


def say(health: VenueHealth) -> str:
    """Say what is wrong with a venue that is away."""
    if health.is_banned:
        return f"has banned us until {figures.moment(health.retry_at)}"
    return f"unreachable since {figures.moment(health.unreachable_since)}"


def load(*, instrument: Instrument, now: dt.datetime) -> list[str]:
    """List in one sentence each the venues that an instrument, or a pair's members, wait for in vain."""
    followed = [instrument]
    if instrument.is_pair:
        followed = [member.instrument for member in market.list_members(pair_id=instrument.pk)]
    venues = {one.venue for one in followed if one.is_fetched}
    health = _health(now) if venues else {}
    return [
        f"{market.venue_name(slug)} {say(health[slug])}" for slug in sorted(venues & {*health}) if health[slug].is_away
    ]


def _health(now: dt.datetime) -> dict[str, VenueHealth]:
    return cache.get_or_set(_KEPT, lambda: market.venue_health(now=now), _KEEP_SECONDS) or {}
