"""Where an instrument stands: the same figures as its page has, written once a step, and holes that stay holes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from heatmaps.models import Heatmap, Standing, Zone
from heatmaps.operations import advance, learn_reach, stand, track_zones
from heatmaps.queries import (
    Lean,
    latest_slice,
    lean_of,
    near_edge,
    reachability,
    read_layers,
    standing_due,
    within_distance,
)
from tests.factories import make_instrument
from tests.world import add_bars, make_pair, make_world

if TYPE_CHECKING:
    from tests.world import World

pytestmark = pytest.mark.django_db
END: Final = dt.datetime(2026, 1, 15, 12, 20, tzinfo=dt.UTC)
STEP: Final = dt.timedelta(minutes=5)
HOURS: Final = 24 * 16


@pytest.fixture
def world() -> World:
    made = make_world(end=END, hours=HOURS)
    learn_reach(instrument_id=made.instrument.pk, now=END)
    return made


def test_it_says_what_the_page_of_the_instrument_says(world: World) -> None:
    standing = stand(instrument_id=world.instrument.pk, now=END)
    assert standing is not None
    assert standing == Standing.objects.get()
    column = latest_slice(heatmap=world.heatmap, at=END)
    assert column is not None
    longs, shorts = within_distance(slice=column, close=column.close, pct=5)
    found = [getattr(standing, f"{side}_{what}") for side in ("longs", "shorts") for what in ("usd", "low", "high")]
    assert found == [longs.usd, longs.low, longs.high, shorts.usd, shorts.low, shorts.high]
    assert (standing.as_of, standing.price, standing.coverage_pct) == (END, column.close, 100.0)
    hours = read_layers(instrument=world.instrument, at=END)
    assert standing.hour_at == hours.at == END.replace(minute=0)
    assert standing.crowding == hours_word(hours.readings["crowding"].values[-1])
    assert standing.funding_percentile == hours.readings["funding"].percentiles[-1]
    assert standing.interest_percentile == hours.readings["open-interest"].series["level_percentile"][-1]
    assert (standing.funding_days, standing.interest_days) == (16, 16)


def hours_word(number: float) -> str:
    return ("crowded and paying", "crowded, neutral funding", "quiet and thin", "ordinary")[int(number)]


def test_chances_are_those_of_the_zones_near_edges(world: World) -> None:
    standing = stand(instrument_id=world.instrument.pk, now=END)
    assert standing is not None
    found = reachability(instrument_id=world.instrument.pk, at=END)
    expected = {}
    for zone in Zone.objects.filter(heatmap=world.heatmap, ended_at=None):
        edge = near_edge(zone, found.price or 0.0)
        if edge is not None:
            rows = found.chances([edge])
            expected[str(zone.pk)] = {name: round(row[0], 4) for name, row in rows.items() if row}
    standing.refresh_from_db()
    assert standing.chances == expected
    assert expected
    assert standing.refused == found.refused


def test_it_is_written_once_for_each_step(world: World) -> None:
    pk = world.instrument.pk
    assert standing_due(instrument_ids=[pk], now=END)
    first = stand(instrument_id=pk, now=END)
    assert not standing_due(instrument_ids=[pk], now=END)
    Standing.objects.update(crowding_reason="kept")
    again = stand(instrument_id=pk, now=END + STEP)
    assert again == first
    add_bars(instrument=world.instrument, end=END + STEP, hours=HOURS)
    advance(instrument_id=pk, now=END + STEP)
    track_zones(instrument_id=pk, now=END + STEP)
    assert standing_due(instrument_ids=[pk], now=END + STEP)
    later = stand(instrument_id=pk, now=END + STEP)
    assert later is not None
    # The hour is the same; what comes from complete hours is not read again.
    assert (later.as_of, later.crowding_reason) == (END + STEP, "kept")


def test_a_gap_has_no_amounts() -> None:
    world = make_world(end=END, hours=24)
    Heatmap.objects.filter(pk=world.heatmap.pk).update(built_from=None)
    standing = stand(instrument_id=world.instrument.pk, now=END)
    assert standing is not None
    assert (standing.price, standing.longs_usd, standing.shorts_usd, lean_of(standing)) == (None, None, None, None)
    assert standing.crowding_reason == "funding: less than 14 d stored to compare with"


def test_without_a_map_there_is_nothing_to_say() -> None:
    instrument = make_instrument()
    assert not standing_due(instrument_ids=[instrument.pk], now=END)
    assert stand(instrument_id=instrument.pk, now=END) is None
    assert Standing.objects.count() == 0


def test_a_pair_has_its_members_coverage_and_no_funding_of_its_own() -> None:
    pair = make_pair(end=END, down_hours=2.0)
    standing = stand(instrument_id=pair.instrument.pk, now=END)
    assert standing is not None
    assert standing.coverage_pct == pytest.approx(100 * 1.62 / 1.94, abs=2.0)
    assert (standing.funding_percentile, standing.funding_reason) == (None, "one for each venue")
    assert (standing.crowding, standing.crowding_reason) == ("", "one for each venue")


AMOUNTS: Final = {"longs_usd": 2e6, "longs_low": 1e6, "longs_high": 4e6}
OTHERS: Final = {"shorts_usd": 6e6, "shorts_low": 3e6, "shorts_high": 9e6}


def test_lean_reaches_as_far_as_both_intervals_do() -> None:
    found = lean_of(Standing(**AMOUNTS, **OTHERS))
    assert found == Lean(share=0.5, low=(3 - 4) / 7, high=(9 - 1) / 10)
    mirrored = lean_of(
        Standing(**{f"shorts{name[5:]}": value for name, value in AMOUNTS.items()},
                 **{f"longs{name[6:]}": value for name, value in OTHERS.items()})
    )  # fmt: skip
    assert mirrored == replace(found, share=-found.share, low=-found.high, high=-found.low)


def test_where_nothing_is_estimated_nothing_leans() -> None:
    nothing = dict.fromkeys([*AMOUNTS, *OTHERS], 0.0)
    assert lean_of(Standing(**nothing)) is None
