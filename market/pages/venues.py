"""Venues as staff sees them: does it answer, how long to leave it alone, what is spent, what its websockets do."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from market.models import Instrument
from market.pages import words
from market.queries.venues import BANNED, PAUSED, REACHABLE, UNASKED, UNREACHABLE, list_feeds, spent_at, venue_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from market.models import FeedState
    from market.queries.venues import VenueHealth

# A feed that has not described itself for so long has most likely ended [s].
_SILENT_S: Final = 90
_TONES: Final = {BANNED: "bad", UNREACHABLE: "bad", PAUSED: "warn", REACHABLE: "ok", UNASKED: ""}
_LABELS: Final = {
    BANNED: "Banned",
    UNREACHABLE: "Unreachable",
    PAUSED: "Asked us to wait",
    REACHABLE: "Reachable",
    UNASKED: "Not asked yet",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """The budget: what all processes together have spent of what they allow themselves."""

    text: str
    pct: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One websocket."""

    channel: str
    tone: str
    state: str
    connected_text: str
    heard_text: str
    reconnects: int
    rows: int
    lag_text: str
    error: str


@dataclass(frozen=True, slots=True)
class VenueCard:
    """One venue."""

    name: str
    tone: str
    label: str
    detail: str
    answered_text: str
    next_text: str
    reason: str
    spent: Spent | None
    refused_count: int
    enabled_count: int
    feeds: tuple[FeedRow, ...]


def cards(*, health: Mapping[str, VenueHealth], now: dt.datetime) -> list[VenueCard]:
    """Return every venue that is asked for something or ever was, in two statements."""
    fetched = Instrument.objects.filter(is_live=True, is_simulated=False, ended_at=None).exclude(venue="pair")
    enabled = Counter(fetched.values_list("venue", flat=True))
    feeds: defaultdict[str, list[FeedState]] = defaultdict(list)
    for feed in list_feeds():
        feeds[feed.venue].append(feed)
    slugs = sorted({*health, *enabled, *feeds})
    return [_card(slug, health.get(slug), enabled[slug], feeds[slug], now) for slug in slugs]


def _card(slug: str, health: VenueHealth | None, enabled: int, feeds: list[FeedState], now: dt.datetime) -> VenueCard:
    kind = health.kind if health else UNASKED
    return VenueCard(
        name=venue_name(slug),
        tone=_TONES[kind],
        label=_LABELS[kind],
        detail=state_since(health),
        answered_text=_ago(health.answered_at if health else None, now),
        next_text=words.moment(health.retry_at) if health and health.retry_at else "at once",
        reason=health.reason if health else "",
        spent=_spent(slug, health, now),
        refused_count=health.refused_count if health else 0,
        enabled_count=enabled,
        feeds=tuple(_feed(feed, now) for feed in feeds),
    )


def state_since(health: VenueHealth | None) -> str:
    """Say since when or until when; empty where there is nothing to say."""
    if health is None:
        return ""
    if health.kind == BANNED:
        return f"until {words.moment(health.retry_at)}"
    if health.kind == UNREACHABLE:
        return f"since {words.moment(health.unreachable_since)}"
    return f"until {words.moment(health.retry_at)}" if health.kind == PAUSED else ""


def _ago(at: dt.datetime | None, now: dt.datetime) -> str:
    return f"{words.age(now - at)} ago" if at else "never"


def _spent(slug: str, health: VenueHealth | None, now: dt.datetime) -> Spent | None:
    spent = spent_at(slug=slug, health=health, now=now)
    if spent is None:
        return None
    text = f"{spent.weight:,.0f} of {spent.allowed:,.0f} in {words.length(spent.window_s)}"
    return Spent(text, f"{spent.weight / spent.allowed:.1%}")


def _feed(feed: FeedState, now: dt.datetime) -> FeedRow:
    silence = now - feed.described_at
    is_silent = silence.total_seconds() > _SILENT_S
    state = "Feed not running" if is_silent else "Connected" if feed.connected_at else "Not connected"
    return FeedRow(
        channel=feed.channel,
        tone="ok" if state == "Connected" else "warn" if is_silent else "bad",
        state=state,
        connected_text=words.moment(feed.connected_at),
        # The feed's own clock may be that of a replay.
        heard_text=_ago(feed.heard_at, feed.noted_at + silence),
        reconnects=feed.reconnects,
        rows=feed.rows,
        lag_text=words.DASH if feed.lag_p50 is None else f"{feed.lag_p50:.1f} / {feed.lag_p95 or 0:.1f} s",
        error=feed.error,
    )
