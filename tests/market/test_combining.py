"""A pair's series: whose candles are shown, and what the open interest of all adds up to."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from market import queries
from market.models import Bar, Coverage, Instrument, OpenInterest, PairDay, Revision
from market.operations import ensure_pairs, ingest
from market.series import STEP_MS

from .pairs import DAY, at, fill, leaders, put_bars, put_interest, sums, the_pair, three

pytestmark = pytest.mark.django_db


def test_candles_are_those_of_the_member_with_the_largest_open_interest() -> None:
    binance, bybit, okx = three()
    fill(binance, range(12), price=100.0, amount=50.0)
    fill(bybit, range(12), price=101.0, amount=70.0)
    fill(okx, range(12), price=102.0, amount=60.0)
    done = ingest(instrument_id=the_pair().pk, now=at(12))
    assert (done.bars, done.through) == (60, at(12))
    assert leaders(the_pair()) == [101.0] * 12
    assert PairDay.objects.get().ranking == [bybit.pk, okx.pk, binance.pk]


def test_leader_is_the_largest_as_the_day_began_and_holds_for_the_day() -> None:
    binance, bybit, _ = three()
    fill(binance, range(-12, 24), price=100.0, amount=50.0)
    fill(bybit, range(-12, 0), price=101.0, amount=40.0)
    fill(bybit, range(1, 24), price=101.0, amount=90.0)
    ingest(instrument_id=the_pair().pk, now=at(24))
    assert set(leaders(the_pair())) == {100.0}


def test_next_member_steps_in_once_the_leader_is_behind_and_gives_way_when_it_is_back() -> None:
    binance, bybit, _ = three()
    fill(binance, range(5), price=100.0, amount=50.0)
    fill(bybit, range(6), price=101.0, amount=40.0)
    ingest(instrument_id=the_pair().pk, now=at(6))
    assert leaders(the_pair()) == [100.0] * 5
    put_bars(bybit, range(6, 8), price=101.0)
    done = ingest(instrument_id=the_pair().pk, now=at(8))
    assert (leaders(the_pair()), done.through) == ([100.0] * 5 + [101.0] * 3, at(8))
    put_bars(binance, range(5, 9), price=100.0)
    ingest(instrument_id=the_pair().pk, now=at(9))
    assert leaders(the_pair()) == [100.0] * 9
    # What was shown meanwhile is kept.
    assert {row.former["close"] for row in Revision.objects.filter(instrument=the_pair())} == {101.0}


def test_bars_of_both_lengths_are_taken_over() -> None:
    binance, bybit, _ = three()
    put_bars(binance, range(4), bar_ms=STEP_MS)
    put_bars(bybit, range(4, 8), price=101.0)
    for one in (binance, bybit):
        put_interest(one, range(1, 9), 10.0)
    ingest(instrument_id=the_pair().pk, now=at(8))
    lengths = Bar.objects.filter(instrument=the_pair()).order_by("open_time").values_list("timeframe", flat=True)
    assert list(lengths) == [300] * 4 + [60] * 20


def test_open_interest_is_the_sum_of_all_members() -> None:
    binance, bybit, okx = three()
    for one, amount in ((binance, 50.0), (bybit, 40.0), (okx, 30.0)):
        put_bars(one, range(4), price=100.0)
        put_interest(one, range(1, 5), amount, usd=amount * 100.0)
    ingest(instrument_id=the_pair().pk, now=at(4))
    found = OpenInterest.objects.filter(instrument=the_pair()).order_by("time")
    assert [(row.open_interest, row.open_interest_value, row.mark_price) for row in found] == [
        (120.0, 12_000.0, None)
    ] * 4
    stretch = Coverage.objects.get(instrument=the_pair(), series="open_interest")
    assert (stretch.start_at, stretch.end_at) == (at(1), at(4))


@pytest.mark.parametrize(
    ("usd", "mark", "expected"), [(3_300.0, 1.0, 3_300.0), (np.nan, 110.0, 3_300.0), (np.nan, np.nan, 3_000.0)]
)
def test_a_value_that_was_not_reported_is_made_of_the_mark_price_or_the_close(
    usd: float, mark: float, expected: float
) -> None:
    binance, bybit, _ = three()
    for one in (binance, bybit):
        put_bars(one, range(1), price=100.0)
    put_interest(binance, range(1, 2), 10.0, usd=1_000.0)
    put_interest(bybit, range(1, 2), 30.0, usd=usd, mark=mark)
    ingest(instrument_id=the_pair().pk, now=at(1))
    assert OpenInterest.objects.get(instrument=the_pair()).open_interest_value == 1_000.0 + expected
    known = queries.newest_interest(instrument_ids=[binance.pk, bybit.pk], at=at(1))
    assert {pk: one.usd for pk, one in known.items()} == {binance.pk: 1_000.0, bybit.pk: expected}


def test_a_missing_sample_is_a_hole_and_no_smaller_sum() -> None:
    binance, bybit, _ = three()
    fill(binance, range(6), price=100.0, amount=50.0)
    put_interest(bybit, range(1, 3), 40.0)
    put_interest(bybit, range(4, 6), 40.0)
    ingest(instrument_id=the_pair().pk, now=at(6))
    assert sums(the_pair()) == {1.0: 90.0, 2.0: 90.0, 4.0: 90.0, 5.0: 90.0}
    put_interest(bybit, range(3, 4), 41.0)
    ingest(instrument_id=the_pair().pk, now=at(6))
    assert sums(the_pair())[3.0] == 91.0


def test_a_member_is_not_waited_for_for_longer_than_a_day() -> None:
    binance, bybit, _ = three()
    fill(binance, range(400), price=100.0, amount=50.0)
    put_interest(bybit, range(1, 3), 40.0)
    ingest(instrument_id=the_pair().pk, now=at(400))
    found = sums(the_pair())
    assert [step for step in sorted(found) if step > 2] == [float(step) for step in range(290, 401)]
    assert {found[step] for step in found if step > 2} == {50.0}


def test_a_member_that_ended_is_not_waited_for() -> None:
    binance, bybit, _ = three()
    fill(binance, range(6), price=100.0, amount=50.0)
    fill(bybit, range(2), price=100.0, amount=40.0)
    Instrument.objects.filter(pk=bybit.pk).update(is_live=False)
    ensure_pairs()
    ingest(instrument_id=the_pair().pk, now=at(6))
    assert [sums(the_pair())[step] for step in (2.0, 4.0, 6.0)] == [90.0, 50.0, 50.0]


def test_a_late_sample_belongs_to_the_step_before() -> None:
    binance, bybit, _ = three()
    fill(binance, range(2), price=100.0, amount=50.0)
    put_interest(bybit, range(3), 40.0, late_s=20)
    ingest(instrument_id=the_pair().pk, now=at(2))
    assert sums(the_pair()) == {1.0: 90.0, 2.0: 90.0}


def everything(pair: Instrument) -> tuple[list[object], ...]:
    kept = (Bar, OpenInterest, PairDay, Coverage)
    names = {"id"}
    return tuple(
        [tuple(value for name, value in row.items() if name not in names) for row in found]
        for found in (
            model.objects.filter(**{"pair" if model is PairDay else "instrument": pair}).order_by("pk").values()
            for model in kept
        )
    )


def test_repeating_changes_nothing_and_one_run_equals_many() -> None:
    binance, bybit, _ = three()
    for done in range(0, 600, 200):
        fill(binance, range(done, done + 200), price=100.0 + done, amount=50.0)
        fill(bybit, range(done, done + 200), price=101.0 + done, amount=40.0 + done)
        ingest(instrument_id=the_pair().pk, now=at(done + 200))
    many = everything(the_pair())
    assert ingest(instrument_id=the_pair().pk, now=at(600)).bars == 0
    assert everything(the_pair()) == many
    for model in (Bar, OpenInterest, Coverage, Revision):
        model.objects.filter(instrument=the_pair()).delete()
    PairDay.objects.all().delete()
    ingest(instrument_id=the_pair().pk, now=at(600))
    assert [sorted(map(str, part)) for part in everything(the_pair())] == [sorted(map(str, part)) for part in many]


def test_older_history_that_comes_later_is_taken_in() -> None:
    binance, bybit, _ = three()
    fill(binance, range(1152, 1200), price=100.0, amount=50.0)
    ingest(instrument_id=the_pair().pk, now=at(1200))
    fill(bybit, range(24), price=101.0, amount=40.0)
    ingest(instrument_id=the_pair().pk, now=at(1200))
    assert leaders(the_pair()) == [101.0] * 24 + [100.0] * 48
    assert queries.rankings(pair_id=the_pair().pk, since=DAY.date(), until=DAY.date()) == {
        DAY.date(): [bybit.pk, binance.pk, Instrument.objects.get(venue="okx").pk]
    }


def test_correction_of_the_last_day_is_followed_and_its_trace_kept() -> None:
    binance, bybit, _ = three()
    fill(binance, range(300), price=100.0, amount=50.0)
    fill(bybit, range(300), price=101.0, amount=40.0)
    ingest(instrument_id=the_pair().pk, now=at(300))
    put_bars(binance, range(290, 291), price=99.0)
    put_interest(bybit, range(295, 296), 44.0)
    ingest(instrument_id=the_pair().pk, now=at(300))
    assert leaders(the_pair())[290] == 99.0
    assert sums(the_pair())[295.0] == 94.0
    # Five bars, the sum that changed, and the one that is valued at the new close.
    assert Revision.objects.filter(instrument=the_pair()).count() == 7


def test_correction_of_any_age_is_followed() -> None:
    binance, bybit, _ = three()
    for one in (binance, bybit):
        fill(one, range(1500), price=100.0, amount=50.0)
    ingest(instrument_id=the_pair().pk, now=at(1500))
    put_bars(binance, range(10, 11), price=99.0)
    put_interest(bybit, range(20, 21), 44.0)
    ingest(instrument_id=the_pair().pk, now=at(1500))
    assert leaders(the_pair())[10] == 99.0
    assert sums(the_pair())[20.0] == 94.0


def test_a_minute_costs_the_same_questions_for_a_long_history() -> None:
    binance, bybit, _ = three()

    def questions(now: dt.datetime) -> int:
        ingest(instrument_id=the_pair().pk, now=now)
        with CaptureQueriesContext(connection) as asked:
            ingest(instrument_id=the_pair().pk, now=now)
        return len(asked)

    for one in (binance, bybit):
        fill(one, range(400), price=100.0, amount=50.0)
    short = questions(at(400))
    for one in (binance, bybit):
        fill(one, range(400, 1500), price=100.0, amount=50.0)
    assert questions(at(1500)) == short


def test_pair_without_rows_has_nothing_to_say(now: dt.datetime) -> None:
    three()
    assert ingest(instrument_id=the_pair().pk, now=now).through is None


def test_pair_has_a_longer_grace(now: dt.datetime) -> None:
    binance, *_ = three()
    fill(binance, range(2), price=100.0, amount=50.0)
    ingest(instrument_id=the_pair().pk, now=at(2))
    fresh = queries.freshness_of_all(instruments=[binance, the_pair()], now=at(2) + dt.timedelta(seconds=100))
    assert [fresh[binance.pk].is_stale, fresh[the_pair().pk].is_stale] == [True, False]
