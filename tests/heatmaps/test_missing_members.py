"""The sum where members are missing, come back, join, or correct what they said."""

from __future__ import annotations

import pytest

from heatmaps.models import Heatmap, SummedStrip
from heatmaps.operations import build
from heatmaps.queries import (
    read_column,
)
from market.models import Instrument
from market.operations import ensure_pairs
from tests.core.windows import cut, without_samples

from .markets import LATE, at_step, put
from .pairs import (
    FIRST,
    SIZES,
    SLUG,
    add_up,
    make_member,
    partial_steps,
    status_at,
    steps_of,
    summed,
    the_pair,
    the_sum,
    three,
    total_at,
)

pytestmark = pytest.mark.django_db
STEPS = 700


def cut_ms(step: int) -> int:
    return int(at_step(step).timestamp() * 1000)


def test_member_that_is_late_is_waited_for_and_one_that_is_down_is_not() -> None:
    members = three(STEPS)
    for one in members:
        one.tell(until=500)
    add_up()
    for one in members[:2]:
        one.tell(until=502)
    assert steps_of(add_up()) == (0, 500)
    for one in members[:2]:
        one.tell(until=503)
    heatmap = add_up()
    assert steps_of(heatmap) == (0, 503)
    assert partial_steps() == [501, 502, 503]
    with_all, without = total_at(heatmap, 500), total_at(heatmap, 503)
    assert without / with_all == pytest.approx(sum(SIZES[:2]) / sum(SIZES), rel=0.02)


def test_member_that_is_back_closes_the_hole() -> None:
    members = three(STEPS)
    for one in members:
        one.tell(until=500)
    add_up()
    for one in members[:2]:
        one.tell(until=560)
    add_up()
    assert partial_steps() == list(range(501, 561))
    members[2].tell(until=560)
    add_up()
    assert partial_steps() == []
    back = summed()
    Heatmap.objects.filter(instrument=the_pair()).delete()
    add_up()
    assert summed() == back


def test_member_whose_history_has_a_hole_is_missing_there() -> None:
    members = three(STEPS)
    for one in members[:2]:
        one.tell()
    okx = members[2]
    for since, until in ((0, 300), (350, STEPS)):
        span = {"since_ms": cut_ms(since), "until_ms": cut_ms(until)}
        put(okx.instrument, cut(okx.window, **span))
    build(instrument_id=okx.instrument.pk, estimator=SLUG, now=LATE)
    add_up()
    assert partial_steps() == list(range(301, 351))


def test_member_is_expected_for_a_day_and_then_given_up() -> None:
    members = three(STEPS)
    members[2].tell(until=100)
    for one in members[:2]:
        one.tell()
    add_up()
    assert partial_steps() == list(range(101, 100 + 288))


def test_member_that_ended_is_missed_by_nobody() -> None:
    members = three(STEPS)
    Instrument.objects.filter(pk=members[2].instrument.pk).update(is_live=False)
    members[2].tell(until=100)
    for one in members[:2]:
        one.tell()
    add_up()
    assert partial_steps() == []


def test_nobody_there_is_a_gap_and_no_zero() -> None:
    members = three(STEPS)
    for one in members:
        for since, until in ((0, 300), (350, STEPS)):
            put(one.instrument, cut(one.window, since_ms=cut_ms(since), until_ms=cut_ms(until)))
        build(instrument_id=one.instrument.pk, estimator=SLUG, now=LATE)
    heatmap = add_up()
    assert [status_at(heatmap, step) for step in (300, 301, 350, 351)] == [1, 3, 3, 1]


def test_provisional_columns_are_summed_and_replaced() -> None:
    members = three(STEPS)
    for one in members:
        ahead = cut(one.window, since_ms=0, until_ms=cut_ms(501))
        put(one.instrument, without_samples(ahead, since_ms=cut_ms(500), until_ms=cut_ms(501)))
        build(instrument_id=one.instrument.pk, estimator=SLUG, now=LATE)
    heatmap = add_up()
    assert (status_at(heatmap, 500), status_at(heatmap, 501)) == (1, 2)
    assert (steps_of(heatmap), heatmap.provisional_through) == ((0, 500), at_step(501))
    for one in members:
        one.tell(until=501)
    heatmap = add_up()
    assert (status_at(heatmap, 501), heatmap.provisional_through) == (1, None)


def test_correction_of_a_member_is_taken_in_and_closed_tiles_change_their_address() -> None:
    members = three(STEPS)
    for one in members:
        one.tell()
    before = add_up()
    okx = members[2]
    okx.window.bars["volume"][300:400] *= 5.0
    put(okx.instrument, okx.window)
    build(instrument_id=okx.instrument.pk, estimator=SLUG, now=LATE, since=at_step(290))
    untouched = SummedStrip.objects.filter(heatmap=before).order_by("col")[0]
    after = add_up()
    assert after.revision == 2
    assert SummedStrip.objects.filter(heatmap=after).order_by("col")[0].inputs == untouched.inputs
    assert total_at(after, 450) == pytest.approx(sum(total_at(one.heatmap, 450) for one in members), rel=2.5e-3)
    corrected = summed()
    Heatmap.objects.filter(instrument=the_pair()).delete()
    add_up()
    assert summed()["tiles"] == corrected["tiles"]


def test_member_that_is_being_built_again_is_waited_for() -> None:
    members = three(STEPS)
    for one in members:
        one.tell()
    add_up()
    before = summed()
    okx = members[2].instrument.pk
    build(instrument_id=okx, estimator=SLUG, now=LATE, since=at_step(10), until=at_step(200))
    add_up()
    assert summed() == before
    build(instrument_id=okx, estimator=SLUG, now=LATE)
    add_up()
    assert summed() == before


def test_new_member_joins_with_its_history() -> None:
    members = three(STEPS)
    for one in members:
        one.tell()
    add_up()
    late = make_member("kraken", steps=STEPS, contracts=0.1)
    late.tell()
    ensure_pairs()
    add_up()
    found = read_column(heatmap=the_sum(), period=FIRST + 400)
    assert found is not None
    assert found[0]["present"] == 0b1111
