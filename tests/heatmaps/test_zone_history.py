"""What was told of zones at any moment can be read again, bit by bit; it is added to and never changed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from heatmaps.models import STATE_FIELDS, Heatmap, Zone, ZoneEvent
from heatmaps.operations import build, track_zones
from heatmaps.queries import (
    DEFAULT_ESTIMATOR,
    half_life,
    list_zones,
    page_zones,
    zone_as_of,
    zone_events,
    zones_between,
)
from tests.core.windows import make_window
from tests.factories import make_heatmap, make_instrument, make_zone

from .markets import LATE, START, at_step, make_market, put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market.models import Instrument

pytestmark = pytest.mark.django_db
STEPS = 900
SHOWN = (*STATE_FIELDS, "number", "born_at", "ended_at", "last_seen_at", "evidence_sha256")


def follow(instrument: Instrument) -> Heatmap:
    build(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR, now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)
    return Heatmap.objects.get(instrument=instrument, release__slug=DEFAULT_ESTIMATOR)


def shown(zones: Iterable[Zone]) -> list[tuple[object, ...]]:
    return [tuple(getattr(zone, name) for name in SHOWN) for zone in zones]


def test_any_past_moment_reads_as_it_was_stored_then() -> None:
    """A run that is stopped again and again, and the same moments asked for when all is over."""
    instrument, window, then = make_instrument(), make_window(steps=STEPS), {}
    for stop in np.sort(np.random.default_rng(4).integers(290, STEPS, 8)).tolist():
        put(instrument, window, until=stop)
        heatmap, at = follow(instrument), at_step(stop)
        between = zones_between(heatmap=heatmap, since=at - dt.timedelta(hours=9), until=at)
        pages = page_zones(heatmap=heatmap, limit=5)
        then[at] = (shown(list_zones(heatmap=heatmap)), shown(between), shown(pages[0]), pages[1])
    put(instrument, window)
    heatmap = follow(instrument)
    for at, stored in then.items():
        zones = list_zones(heatmap=heatmap, at=at)
        between = zones_between(heatmap=heatmap, since=at - dt.timedelta(hours=9), until=at + dt.timedelta(1), at=at)
        pages = page_zones(heatmap=heatmap, limit=5, at=at)
        assert (shown(zones), shown(between), shown(pages[0]), pages[1]) == stored
        assert shown([zone_as_of(zone_id=zones[0].pk, at=at)]) == [stored[0][0]]
    assert len({str(stored) for stored in then.values()}) > len(then) // 2


def test_a_zone_is_what_its_newest_event_told() -> None:
    follow(make_market(steps=STEPS))
    for zone in Zone.objects.order_by("number"):
        events = zone_events(zone=zone)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert (events[0].kind, events[0].at) == ("formed", zone.born_at)
        assert [getattr(events[-1], name) for name in STATE_FIELDS] == [getattr(zone, name) for name in STATE_FIELDS]
        assert (zone.last_seen_at, zone.ended_at) == (events[-1].at, None if zone.is_alive else events[-1].at)
        assert (zone.cause == "") == zone.is_alive
        assert zone_events(zone=zone, at=events[0].at) == events[:1]


def test_what_a_zone_holds_is_what_its_ledger_says() -> None:
    follow(make_market(steps=STEPS))
    for event in ZoneEvent.objects.select_related("zone"):
        formed = ZoneEvent.objects.get(zone=event.zone, number=1)
        balance = formed.usd + event.deposited - event.closed - event.swept + event.moved
        assert balance == pytest.approx(event.usd, rel=1e-9, abs=1e-3)


def test_a_zone_is_not_there_before_it_formed() -> None:
    heatmap = follow(make_market(steps=STEPS))
    first = Zone.objects.earliest("number")
    before = first.born_at - dt.timedelta(minutes=5)
    assert list_zones(heatmap=heatmap, at=before) == []
    with pytest.raises(Zone.DoesNotExist):
        zone_as_of(zone_id=first.pk, at=before)


def test_database_lets_nobody_change_what_was_told() -> None:
    follow(make_market(steps=400))
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="was told and can not be changed"),
        transaction.atomic(),
    ):
        cursor.execute("UPDATE heatmaps_zoneevent SET usd = 1")


def test_half_life_counts_zones_of_the_same_kind() -> None:
    heatmap, hour = make_heatmap(built_through=START), dt.timedelta(hours=1)
    Heatmap.objects.update(zones_through=START + 100 * hour)
    heatmap.refresh_from_db()
    kinds = [(1, "-1.5")] * 30 + [(1, "-6")] * 3 + [(-1, "1.5")] * 2
    for number, (side, away) in enumerate(kinds, start=1):
        evidence = {"distance_pct": away}
        zone = make_zone(heatmap=heatmap, born_at=START, number=number, position_side=side, evidence=evidence)
        if number <= 25:
            ended = START + number * hour
            state = Zone.State.MERGED if number > 20 else Zone.State.SWEPT
            Zone.objects.filter(pk=zone.pk).update(state=state, ended_at=ended)
    found = half_life(zone=Zone.objects.get(number=30))
    assert (found.count, found.ended, found.hours) == (30, 20, 15.0)
    few = half_life(zone=Zone.objects.get(number=35))
    assert (few.count, few.is_enough, few.hours) == (2, False, None)
    early = half_life(zone=Zone.objects.get(number=30), at=START + 5 * hour)
    assert (early.count, early.ended, early.hours) == (30, 5, None)
