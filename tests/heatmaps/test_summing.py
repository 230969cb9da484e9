"""The map of an asset pair is the sum of its members' maps."""

from __future__ import annotations

import numpy as np
import pytest

from heatmaps.core.tile import DENSITY_BPS, usd_from_code
from heatmaps.models import Heatmap
from heatmaps.operations import advance, sum_members, summing
from heatmaps.queries import (
    get_heatmap,
    latest_slice,
    read_codes,
    read_column,
    release_name,
    within_distance,
)
from market.operations import ensure_pairs, ingest

from .markets import LATE, at_step
from .pairs import (
    FIRST,
    ROWS,
    SIZES,
    SLUG,
    add_up,
    all_of,
    make_member,
    partial_steps,
    steps_of,
    summed,
    the_pair,
    the_sum,
    three,
    total_at,
    usd_of,
)

pytestmark = pytest.mark.django_db
STEPS = 700
# Half a step of the code: 2 ** (1 / 32) - 1.
QUANTUM = 0.0219


def test_sum_is_the_sum_of_the_members_within_a_step_of_the_code() -> None:
    members = three(STEPS)
    for one in members:
        one.tell()
    heatmap = add_up()
    steps = range(300, STEPS)
    expected = all_of(members, steps)
    found = usd_of(heatmap, steps)
    shown = found > 0
    assert shown.mean() > 0.05
    assert np.abs(found[shown] / expected[shown] - 1.0).max() <= QUANTUM
    # Below the floor there is nothing to show, and not much to lose.
    assert expected[~shown].max() < heatmap.code_floor_usd / 2
    # Rounding of single bins evens out.
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-3)
    assert np.abs(found.sum(axis=0) / expected.sum(axis=0) - 1.0).max() < 2.5e-3
    assert steps_of(heatmap) == (0, STEPS)
    assert partial_steps() == []


@pytest.mark.parametrize(("level", "steps", "factor"), [(1, 12, 2), (2, 48, 4), (3, 288, 8)])
def test_every_level_holds_the_sum_at_the_end_of_its_columns(level: int, steps: int, factor: int) -> None:
    for one in three(STEPS):
        one.tell()
    heatmap = add_up()
    column = STEPS // steps * steps
    place, rows = (FIRST + column - 1) // steps, (ROWS[0] // factor, ROWS[1] // factor)
    codes = read_codes(heatmap=heatmap, level=level, rows=rows, cols=(place // 256,) * 2)
    coarse = usd_from_code(codes[:, place % 256], heatmap.code_floor_usd) * (heatmap.bin_bps * factor / DENSITY_BPS)
    assert coarse.sum() == pytest.approx(total_at(heatmap, column), rel=5e-3)


def test_sum_has_the_prices_of_the_leader_and_the_open_interest_of_all() -> None:
    members = three(STEPS)
    for one in members:
        one.tell()
    heatmap = add_up()
    found = read_column(heatmap=heatmap, period=FIRST + STEPS - 1)
    assert found is not None
    record, shares = found
    assert (record["present"], record["expected"]) == (0b111, 0b111)
    sizes = shares["open_interest"] / shares["open_interest"].sum()
    assert sizes == pytest.approx([size / sum(SIZES) for size in SIZES], rel=1e-3)
    heat = shares["longs"] + shares["shorts"]
    assert heat / heat.sum() == pytest.approx([size / sum(SIZES) for size in SIZES], rel=0.05)
    newest = latest_slice(heatmap=heatmap)
    assert newest is not None
    assert newest.close == members[0].window.bars["close"][-1]
    longs, shorts = within_distance(slice=newest, close=newest.close, pct=10)
    assert (longs.usd, shorts.usd) == pytest.approx((shares["longs"].sum(), shares["shorts"].sum()), rel=2e-3)
    assert heatmap.allocated_share == pytest.approx(members[0].heatmap.allocated_share, rel=1e-3)


def test_sum_is_found_where_a_map_is_looked_for_and_names_its_own_release() -> None:
    for one in three(300):
        one.tell()
    heatmap = add_up()
    found = get_heatmap(instrument_id=the_pair().pk)
    assert found == heatmap
    assert release_name(heatmap=heatmap) == "sum-open-interest-2-r1"
    parameters = heatmap.release.parameters
    assert parameters["of"] == {
        "slug": SLUG,
        "version": "2",
        "parameters_sha256": Heatmap.objects.get(instrument__venue="okx").release.digest,
    }
    assert get_heatmap(instrument_id=the_pair().pk, estimator="path-only") is None


def test_repeating_is_bit_identical_and_writes_nothing() -> None:
    for one in three(STEPS):
        one.tell()
    add_up()
    before, updated = summed(), the_sum().updated_at
    again = sum_members(instrument_id=the_pair().pk, now=at_step(10 * STEPS))
    assert (again.tiles, again.is_complete) == (0, True)
    assert (summed(), the_sum().updated_at) == (before, updated)


def test_one_run_equals_many() -> None:
    members = three(STEPS)
    for until in (100.4, 100.8, 255, 256, 258, 500.2, STEPS):
        for one in members:
            one.tell(until=until)
        add_up()
    many = summed()
    assert the_sum().revision == 1
    Heatmap.objects.filter(instrument=the_pair()).delete()
    add_up()
    assert summed() == many


def test_parts_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in three(STEPS):
        one.tell()
    add_up()
    whole = summed()
    Heatmap.objects.filter(instrument=the_pair()).delete()
    monkeypatch.setattr(summing, "STRIPS_PER_PART", 1)
    first = sum_members(instrument_id=the_pair().pk, now=LATE, parts=1)
    assert not first.is_complete
    while not sum_members(instrument_id=the_pair().pk, now=LATE, parts=1).is_complete:
        pass
    assert summed() == whole


def test_inverse_member_adds_what_its_contracts_are_worth() -> None:
    """The same positions, held in dollars and in coin: of the same worth near the price."""
    linear, inverse = make_member("binance", steps=STEPS), make_member("coinm", steps=STEPS, contract_usd=100.0)
    for one in (linear, inverse):
        one.tell()
    ensure_pairs()
    heatmap = add_up()
    steps = range(400, STEPS)
    expected = all_of((linear, inverse), steps)
    # Codes that go together round together.
    assert usd_of(heatmap, steps).sum() == pytest.approx(expected.sum(), rel=5e-3)
    found = read_column(heatmap=heatmap, period=FIRST + STEPS - 1)
    assert found is not None
    shares = found[1]
    assert shares["open_interest"][1] == pytest.approx(shares["open_interest"][0], rel=1e-3)
    heat = shares["longs"] + shares["shorts"]
    assert heat[1] == pytest.approx(heat[0], rel=0.1)


def test_advance_of_a_pair_is_its_sum() -> None:
    for one in three(300):
        one.tell()
    ingest(instrument_id=the_pair().pk, now=LATE)
    (done,) = advance(instrument_id=the_pair().pk, now=LATE)
    assert (done.estimator, done.steps, done.through, done.is_complete) == (SLUG, 300, at_step(300), True)


def test_pair_without_maps_has_none() -> None:
    three(10)
    assert sum_members(instrument_id=the_pair().pk, now=LATE).is_complete
    assert not Heatmap.objects.filter(instrument=the_pair()).exists()
