from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.clusters import Cluster, overlap
from heatmaps.core.tracked import Cause, Event, Kind, State, Tracked
from heatmaps.core.zones import FORMING, MISSING_LIMIT, SLICE_MS, Tracker

from .hills import CLOSE, FIRST, STEP_MS, WIDTH, bump, column

if TYPE_CHECKING:
    from heatmaps.core.clusters import Column


def run(tracker: Tracker, *columns: Column) -> list[Event]:
    return [event for one in columns for event in tracker.step(one)]


def brief(events: list[Event]) -> list[tuple[Kind, int, State, Cause | None]]:
    return [(event.kind, event.at_ms, event.state, event.cause) for event in events]


def hourly(usd: np.ndarray, hours: int, *, since: int = 1) -> list[Column]:
    return [column(usd, at=hour * SLICE_MS) for hour in range(since, since + hours)]


def tracked(side: int = 1, low: int = 21_890, high: int = 21_911) -> Tracker:
    usd = bump((21_900, 10.0), (22_100, 10.0))
    before = column(usd, at=0)
    held = before.between(low, high)
    cluster = Cluster(side, low, high, (low + high) // 2, held)
    zone = Tracked(1, cluster, held, held, 0, state=State.ACTIVE, slices=FORMING, noted=(low, high, held))
    return Tracker(WIDTH, [zone], next_key=2, before=before, variance=1.0)


def ending(events: list[Event]) -> list[tuple[State, Cause | None, int]]:
    return [(event.state, event.cause, event.at_ms) for event in events if event.kind is Kind.ENDED]


def test_zone_is_born_in_the_second_slice_that_shows_it() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    events = run(tracker, *(column(usd, at=n * STEP_MS) for n in range(12, 37)))
    assert brief(events) == [(Kind.FORMED, 2 * SLICE_MS, State.FORMING, None)]
    assert [(event.key, event.number, event.cluster.side) for event in events] == [(1, 1, 1)]


def test_zone_is_not_born_over_a_missing_slice() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    assert run(tracker, column(usd, at=SLICE_MS), column(usd, at=3 * SLICE_MS)) == []
    assert len(tracker.step(column(usd, at=4 * SLICE_MS))) == 1


def test_zone_is_not_born_while_the_map_is_half_empty() -> None:
    tracker, usd = Tracker(WIDTH), bump((21_900, 10.0))
    assert run(tracker, *(replace(one, allocated=0.5) for one in hourly(usd, 3))) == []


def test_zone_found_often_enough_is_active() -> None:
    events = run(Tracker(WIDTH), *hourly(bump((21_900, 10.0)), 12))
    assert brief(events) == [
        (Kind.FORMED, 2 * SLICE_MS, State.FORMING, None),
        (Kind.STATE, (2 + FORMING) * SLICE_MS, State.ACTIVE, None),
    ]


def test_zone_is_approached_where_its_volatility_reaches_it() -> None:
    """At sigma = s bins a step, 48 steps go .67 s sqrt(48) with even odds; back at .93 it is left again."""
    tracker, usd = tracked(), bump((21_900, 10.0))
    tracker.variance = 16.0
    near, between, far = (21_911 + away * 4.0 * 48**0.5 for away in (0.66, 0.90, 0.96))
    quiet = [
        column(usd, at=n * STEP_MS, low=price, high=price, close=price)
        for n, price in enumerate((near, between, far), start=1)
    ]
    assert brief(run(tracker, *quiet)) == [
        (Kind.STATE, STEP_MS, State.APPROACHED, None),
        (Kind.STATE, 3 * STEP_MS, State.ACTIVE, None),
    ]


def test_zone_is_touched_partly_swept_and_swept() -> None:
    tracker, usd = tracked(), bump((21_900, 10.0))
    steps = []
    for n, low in enumerate((21_909.7, 21_903.0, 21_889.2), start=1):
        usd = usd.copy()
        usd[int(np.ceil(low - 0.5)) - FIRST : 21_950 - FIRST] = 0.0
        steps.append(column(usd, at=n * STEP_MS, low=low))
    events = run(tracker, *steps)
    assert brief(events) == [
        (Kind.TOUCHED, STEP_MS, State.ACTIVE, None),
        (Kind.STATE, 2 * STEP_MS, State.PARTLY_SWEPT, None),
        (Kind.ENDED, 3 * STEP_MS, State.SWEPT, Cause.THROUGH),
    ]
    assert tracker.alive == []
    assert {event.tested_ms for event in events} == {STEP_MS}
    last = events[-1].flows
    assert [last.deposited, last.closed, last.moved] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_short_zone_is_swept_from_below() -> None:
    tracker = tracked(-1, 22_090, 22_111)
    usd = bump((22_100, 10.0))
    usd[: 22_112 - FIRST] = 0.0
    assert ending(run(tracker, column(usd, at=STEP_MS, high=22_111.4))) == [(State.SWEPT, Cause.THROUGH, STEP_MS)]


def test_zone_that_price_took_four_fifths_of_is_swept() -> None:
    tracker, usd = tracked(), bump((21_900, 10.0))
    usd[21_893 - FIRST : 21_950 - FIRST] = 0.0
    assert ending(run(tracker, column(usd, at=STEP_MS, low=21_893.2))) == [(State.SWEPT, Cause.EATEN, STEP_MS)]


def test_zone_that_closes_away_from_price_expires() -> None:
    tracker, usd = tracked(), bump((21_900, 10.0))
    closing = [
        replace(column(share * usd, at=n * STEP_MS), kept=(kept, 1.0))
        for n, (share, kept) in enumerate([(0.6, 0.6), (0.4, 0.4 / 0.6)], start=1)
    ]
    events = run(tracker, *closing)
    assert ending(events) == [(State.EXPIRED, Cause.CLOSED, 2 * STEP_MS)]
    flows, peak = events[-1].flows, events[-1].usd_peak
    assert [flows.closed, flows.deposited] == pytest.approx([0.6 * peak, 0.0], abs=1e-6 * peak)


def test_closing_after_a_sweep_counts_against_what_the_sweep_left() -> None:
    tracker, usd = tracked(), bump((21_900, 10.0))
    left = usd.copy()
    left[21_901 - FIRST :] = 0.0
    assert ending(run(tracker, column(left, at=STEP_MS, low=21_901.2))) == []
    assert ending(run(tracker, column(0.55 * left, at=2 * STEP_MS))) == []
    assert ending(run(tracker, column(0.45 * left, at=3 * STEP_MS))) == [(State.EXPIRED, Cause.CLOSED, 3 * STEP_MS)]


def test_zone_that_no_longer_stands_out_expires() -> None:
    # Level ground: the band still holds something, but nothing stands out.
    found = ending(run(tracked(), *hourly(np.full(1000, 9.0), MISSING_LIMIT + 1)))
    assert found == [(State.EXPIRED, Cause.LEVELLED, MISSING_LIMIT * SLICE_MS)]


def test_smaller_zone_becomes_part_of_the_one_that_covers_it() -> None:
    tracker = Tracker(WIDTH)
    run(tracker, *hourly(bump((21_860, 10.0), (21_890, 9.0)), 3))
    assert [zone.cluster.peak for zone in tracker.alive] == [21_860, 21_890]
    events = run(tracker, *hourly(bump((21_868, 14.0), (21_880, 14.0), base=8.0), MISSING_LIMIT + 2, since=4))
    told = {event.key: event for event in events if event.kind in {Kind.ENDED, Kind.ABSORBED}}
    (ended,) = [event for event in told.values() if event.kind is Kind.ENDED]
    (kept,) = tracker.alive
    assert (ended.state, ended.cause, ended.other) == (State.MERGED, Cause.JOINED, kept.key)
    assert (told[kept.key].kind, told[kept.key].other) == (Kind.ABSORBED, ended.key)
    assert overlap(kept.cluster, ended.cluster) > 0.2


def test_zone_follows_its_cluster_until_price_has_eaten_from_it() -> None:
    tracker = tracked()
    tracker.step(column(bump((21_905, 10.0)), at=SLICE_MS))
    assert tracker.alive[0].cluster.peak == 21_905
    band, eaten = tracker.alive[0].band, bump((21_905, 10.0))
    eaten[21_906 - FIRST : 21_950 - FIRST] = 0.0
    tracker.step(column(eaten, at=SLICE_MS + STEP_MS, low=21_906.0))
    tracker.step(column(bump((21_903, 10.0)), at=2 * SLICE_MS))
    assert (tracker.alive[0].band, tracker.alive[0].state) == (band, State.PARTLY_SWEPT)


def test_bands_of_zones_do_not_overlap() -> None:
    tracker = tracked()
    run(tracker, *hourly(bump((21_900, 10.0), (21_925, 9.0)), 3))
    bands = sorted(zone.band for zone in tracker.alive)
    assert len(bands) == 2
    assert bands[0][1] <= bands[1][0]


def test_nothing_ends_for_being_small_while_part_of_the_map_is_missing() -> None:
    tracker, level = tracked(), np.full(1000, 0.1)
    thin = [replace(one, is_partial=True, members=1) for one in hourly(level, 2 * MISSING_LIMIT)]
    assert ending(run(tracker, *thin)) == []
    assert tracker.alive[0].flows.closed == 0.0
    at = (2 * MISSING_LIMIT + 1) * SLICE_MS
    swept = replace(column(level, at=at, low=21_880.0), is_partial=True, members=1)
    assert ending(run(tracker, swept)) == [(State.SWEPT, Cause.THROUGH, at)]


def walk(seed: int, count: int = 600) -> list[Column]:
    """Hills that grow, shrink and drift under a price that wanders into them."""
    draw = np.random.default_rng(seed)
    close = CLOSE + np.cumsum(draw.normal(0.0, 4.0, count))
    heights = np.exp(np.cumsum(draw.normal(0.0, 0.05, (count, 6)), axis=0)) * 8.0
    peaks = np.linspace(21_700, 22_300, 6) + np.cumsum(draw.normal(0.0, 0.4, (count, 6)), axis=0)
    made = []
    for n in range(count):
        usd = bump(*((int(peak), height) for peak, height in zip(peaks[n], heights[n], strict=True)))
        low, high = close[n] - abs(draw.normal(0, 3)), close[n] + abs(draw.normal(0, 3))
        usd[max(int(low) - FIRST, 0) : max(int(high) - FIRST, 0)] = 0.0
        one = column(usd, at=(n + 1) * STEP_MS, low=float(low), high=float(high), close=float(close[n]))
        made.append(replace(one, kept=(float(draw.uniform(0.99, 1)), float(draw.uniform(0.99, 1)))))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_what_a_zone_holds_is_what_its_ledger_says(seed: int) -> None:
    first: dict[int, float] = {}
    for event in run(Tracker(WIDTH), *walk(seed)):
        start = first.setdefault(event.key, event.usd)
        assert start + event.flows.change == pytest.approx(event.usd, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_going_on_from_a_dump_is_the_same_to_the_bit(seed: int) -> None:
    columns, draw = walk(seed), np.random.default_rng(seed)
    whole, tracker, events = run(Tracker(WIDTH), *columns), Tracker(WIDTH), []
    for part in np.split(np.arange(len(columns)), np.sort(draw.integers(0, len(columns), 25))):
        events += run(tracker, *(columns[index] for index in part))
        dumped = json.loads(json.dumps(tracker.dump()))
        tracker = Tracker.load(dumped, width=WIDTH, before=tracker.before)
    assert len(whole) > 30
    assert events == whole


def test_every_number_is_told_once_and_in_order() -> None:
    numbers: dict[int, list[int]] = {}
    for event in run(Tracker(WIDTH), *walk(5)):
        numbers.setdefault(event.key, []).append(event.number)
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert all(told == list(range(1, len(told) + 1)) for told in numbers.values())


def test_corrected_data_are_no_trade() -> None:
    usd = bump((21_900, 10.0))
    tracker = Tracker.load(tracked().dump(), width=WIDTH, before=column(0.9 * usd, at=0))
    tracker.step(column(0.9 * usd, at=STEP_MS))
    zone = tracker.alive[0]
    assert zone.flows.moved == pytest.approx(-0.1 * zone.usd_peak)
    assert (zone.flows.closed, zone.flows.swept) == (0.0, 0.0)
