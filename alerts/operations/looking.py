"""Look whether what members asked to be told has come to hold; tell it once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction

from alerts.models import Notice, Rule
from alerts.pages import words
from alerts.terms import begun
from heatmaps import queries as heatmaps
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from heatmaps.models import Standing, Zone
    from heatmaps.queries import Reachability
    from market.models import Instrument
    from market.queries import Freshness


class Found(NamedTuple):
    """What began to hold, of what, in words, with the zone that it leads to and the moment that the words name."""

    subject: str
    text: str
    zone_id: int | None = None
    moment: dt.datetime | None = None


@dataclass
class Situation:
    """What is known of an instrument at a moment; each part is read when a rule first asks for it."""

    instrument: Instrument
    now: dt.datetime
    fresh: Freshness = field(init=False)

    def __post_init__(self) -> None:
        """Read how fresh it is: without current data most rules rest."""
        self.fresh = market.freshness(instrument=self.instrument, now=self.now)

    @cached_property
    def last(self) -> float | None:
        """The last price [quote per base]."""
        if self.fresh.as_of is None:
            return None
        return market.last_days(moments={self.instrument.pk: self.fresh.as_of})[self.instrument.pk].close

    @cached_property
    def zones(self) -> dict[str, Zone]:
        """The zones that are alive or ended of late, by id, of the map that is shown."""
        heatmap = heatmaps.get_heatmap(instrument_id=self.instrument.pk)
        found = heatmaps.list_zones(heatmap=heatmap, limit=200) if heatmap else []
        return {str(zone.pk): zone for zone in found}

    @cached_property
    def alive(self) -> dict[str, Zone]:
        """The zones that are alive."""
        return {pk: zone for pk, zone in self.zones.items() if zone.is_alive}

    @cached_property
    def distances(self) -> dict[str, float]:
        """How far the near edge of each living zone is [%], 0 where the price is inside."""
        last = self.last
        if last is None:
            return {}
        edges = {pk: heatmaps.near_edge(zone, last) for pk, zone in self.alive.items()}
        return {pk: 0.0 if edge is None else abs(edge / last - 1.0) * 100.0 for pk, edge in edges.items()}

    @cached_property
    def reach(self) -> Reachability:
        """What can be stated of touches."""
        return heatmaps.reachability(instrument_id=self.instrument.pk, at=self.fresh.as_of or self.now)

    def chances(self, horizon: str) -> dict[str, float]:
        """The chance of a touch of each living zone that the price is not in [%]."""
        last = self.last
        if last is None:
            return {}
        stated = heatmaps.chances_of(zones=self.alive.values(), found=self.reach, price=last)
        return {str(pk): 100.0 * row[horizon] for pk, row in stated.items() if horizon in row}

    @cached_property
    def standing(self) -> Standing | None:
        """Where it stands, as of the newest hour."""
        return heatmaps.standings_of(instrument_ids=[self.instrument.pk]).get(self.instrument.pk)


def look(*, instrument_id: int, now: dt.datetime, for_outages: bool = False) -> int:
    """Look at the rules about an instrument and tell what began to hold; return how many notices there were.

    for_outages: at those about stale data, which are looked at apart, or at all others. A rule that was looked at
    for this moment, or a later one, is left alone.
    """
    kinds = Rule.objects.watching(instrument_id)
    kinds = kinds.filter(kind=Rule.Kind.STALE) if for_outages else kinds.exclude(kind=Rule.Kind.STALE)
    with transaction.atomic():
        waiting = kinds.exclude(seen_at__gte=now)
        rules = list(waiting.select_for_update(of=("self",)).select_related("instrument").order_by("pk"))
        if not rules:
            return 0
        situation = Situation(rules[0].instrument, now)
        notices = [notice for rule in rules for notice in _look(rule, situation)]
        Notice.objects.append(notices)
        for rule in rules:
            rule.seen_at = now
            rule.save(update_fields=["seen", "seen_at"])
    return len(notices)


def _look(rule: Rule, situation: Situation) -> Iterator[Notice]:
    is_blind = situation.fresh.is_stale or situation.fresh.as_of is None
    if is_blind and rule.kind != Rule.Kind.STALE:
        return
    seen: dict[str, Any] = dict(rule.seen)
    for found in _KINDS[Rule.Kind(rule.kind)](rule, situation, seen):
        yield Notice(
            owner_id=rule.owner_id,
            instrument=rule.instrument,
            kind=rule.kind,
            subject=f"{rule.pk}:{found.subject}",
            at=situation.now,
            text=found.text,
            moment=found.moment,
            zone_id=found.zone_id,
            by_mail=rule.by_mail,
        )
    rule.seen = seen


def _near(rule: Rule, situation: Situation, seen: dict[str, Any]) -> Iterator[Found]:
    away = situation.distances
    for pk in _news(rule, seen, away, is_upward=False):
        zone = situation.alive[pk]
        yield Found(pk, words.near(rule.instrument, zone, away[pk]), zone.pk)


def _chance(rule: Rule, situation: Situation, seen: dict[str, Any]) -> Iterator[Found]:
    stated = situation.chances(rule.horizon)
    for pk in _news(rule, seen, stated, is_upward=True):
        zone = situation.alive[pk]
        yield Found(pk, words.chance(rule.instrument, zone, stated[pk] / 100.0, rule.horizon), zone.pk)


def _news(rule: Rule, seen: dict[str, Any], values: Mapping[str, float], *, is_upward: bool) -> list[str]:
    before = seen.get("held", [])
    seen["held"] = begun(values=values, threshold=float(rule.threshold_pct), is_upward=is_upward, before=before)
    return [pk for pk in seen["held"] if pk not in set(before)]


def _swept(rule: Rule, situation: Situation, seen: dict[str, Any]) -> Iterator[Found]:
    """Tell of zones that lived when it was looked last and were swept since."""
    for pk in seen.get("alive", []):
        zone = situation.zones.get(pk)
        if zone is not None and zone.state == zone.State.SWEPT:
            yield Found(pk, words.swept(rule.instrument, zone), zone.pk)
    seen["alive"] = list(situation.alive)


def _crowding(rule: Rule, situation: Situation, seen: dict[str, Any]) -> Iterator[Found]:
    """Tell of a change from one named state to another; hours without a name are passed over."""
    now = situation.standing.crowding if situation.standing else ""
    before = seen.get("crowding", "")
    if now and before and now != before:
        yield Found("crowding", words.crowding(rule.instrument, before, now))
    if now:
        seen["crowding"] = now


def _stale(rule: Rule, situation: Situation, seen: dict[str, Any]) -> Iterator[Found]:
    if situation.fresh.is_stale and not seen.get("is_stale"):
        as_of = situation.fresh.as_of
        yield Found("stale", words.stale(rule.instrument, as_of), moment=as_of)
    seen["is_stale"] = situation.fresh.is_stale


_KINDS: Final = {
    Rule.Kind.NEAR: _near,
    Rule.Kind.CHANCE: _chance,
    Rule.Kind.SWEPT: _swept,
    Rule.Kind.CROWDING: _crowding,
    Rule.Kind.STALE: _stale,
}
