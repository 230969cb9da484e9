"""What all processes know of venues, and what the feed last said of its websockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from market.models import FeedState, VenueState
from market.sources import SOURCES, load_source
from market.sources.base import LIVE_SHARE, is_venue

if TYPE_CHECKING:
    import datetime as dt

    from market.sources.base import Budget

_NAMES: Final = {
    "binance-coin-m": "Binance COIN-M",
    "okx": "OKX",
    "bitmex": "BitMEX",
    "pair": "Asset pair",
    "simulated": "Simulated market",
}

BANNED: Final = "banned"
UNREACHABLE: Final = "unreachable"
PAUSED: Final = "paused"
REACHABLE: Final = "reachable"
UNASKED: Final = "unasked"


@dataclass(frozen=True, slots=True)
class VenueHealth:
    """A venue at a moment. kind: banned, unreachable, paused (it asked us to wait), reachable, or unasked.

    spent: of the budget, at ``window_at``; from then on it leaks. refused_count: answers 418 and 429 so far.
    """

    venue: str
    kind: str
    answered_at: dt.datetime | None
    unreachable_since: dt.datetime | None
    retry_at: dt.datetime | None
    reason: str
    spent: float
    window_at: dt.datetime
    refused_count: int

    @property
    def is_banned(self) -> bool:
        """Whether it has told us to stay away."""
        return self.kind == BANNED

    @property
    def is_away(self) -> bool:
        """Whether nothing can come from it now: nobody answers, or we are banned."""
        return self.kind in {BANNED, UNREACHABLE}


def venue_name(slug: str) -> str:
    """Write a venue's name as it does itself."""
    return _NAMES.get(slug, slug.capitalize())


def venue_health(*, now: dt.datetime) -> dict[str, VenueHealth]:
    """Return what is known of each venue that was ever asked, by its name."""
    return {row.venue: _judge(row, now) for row in VenueState.objects.order_by("venue")}


def _judge(row: VenueState, now: dt.datetime) -> VenueHealth:
    is_waiting = row.retry_at is not None and row.retry_at > now
    if row.is_banned and is_waiting:
        kind = BANNED
    elif row.unreachable_since is not None:
        kind = UNREACHABLE
    elif is_waiting and row.failures:
        kind = PAUSED
    else:
        kind = REACHABLE if row.answered_at is not None else UNASKED
    return VenueHealth(
        venue=row.venue,
        kind=kind,
        answered_at=row.answered_at,
        unreachable_since=row.unreachable_since,
        retry_at=row.retry_at if is_waiting else None,
        reason=row.reason,
        spent=row.spent,
        window_at=row.window_at,
        refused_count=row.refused_count,
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """Weight of a venue's budget that is spent at a moment, of what all processes together allow themselves."""

    weight: float
    allowed: float
    window_s: int


def spent_at(*, slug: str, health: VenueHealth | None, now: dt.datetime) -> Spent | None:
    """Return what is spent of a venue's budget; None for a venue that has no source or no budget."""
    budget = _budget(slug)
    if budget is None:
        return None
    allowed = budget.weight * LIVE_SHARE
    # Budgets stay in wall time: where a replayed market's clock is behind it, what was spent last is told.
    passed_s = max(0.0, (now - health.window_at).total_seconds()) if health else 0.0
    left = (health.spent if health else 0.0) - passed_s * allowed / budget.window_s
    return Spent(min(max(left, 0.0), allowed), allowed, budget.window_s)


def _budget(slug: str) -> Budget | None:
    if slug not in SOURCES:
        return None
    source = load_source(slug)
    return source.budget.times(settings.CLOCK_SPEED) if is_venue(source) else None


def list_feeds() -> list[FeedState]:
    """List the feed's websockets as their process last described them."""
    return list(FeedState.objects.order_by("venue", "channel"))
