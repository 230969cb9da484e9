"""Chances of a touch: learnt once a day, stated once an hour, judged once, and never written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from heatmaps.core.reach import DAY, HORIZONS, Fit, Path, fit
from heatmaps.models import Outcome, Reach, Statement
from heatmaps.operations import judge, learn_reach, state_chances
from heatmaps.queries import NOT_LEARNT, get_reach, learning_due, near_edge, reachability, stating_due
from market.series import DAY_MS, STEP_MS, epoch_ms, moment
from tests.factories import make_heatmap, make_instrument, make_zone

from .touched import DAYS, HOUR, MINUTE, START, TODAY, past, put_bars

if TYPE_CHECKING:
    from market.models import Instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def instrument() -> Instrument:
    made = make_instrument(is_live=True)
    put_bars(made, past(), until=TODAY + 12 * HOUR)
    return made


def test_what_was_learnt_is_what_the_core_learns(instrument: Instrument) -> None:
    reach = learn_reach(instrument_id=instrument.pk, now=TODAY + 5 * MINUTE)
    assert reach is not None
    assert (reach.learnt_from, reach.learnt_through) == (START, TODAY)
    expected = fit(Path.of(past(days=DAYS)))
    assert bytes(reach.body) == expected.pack()
    assert reach.refused == expected.refused == {name: reach.refused[name] for name in ("3d", "7d")}
    back = Fit.unpack(bytes(reach.body), reach.refused)
    assert list(back.horizons) == ["4h", "24h"]
    for name, one in back.horizons.items():
        assert one.knots.tobytes() == expected.horizons[name].knots.tobytes()
        assert one.plain.tobytes() == expected.horizons[name].plain.tobytes()
        assert (one.steps, one.windows) == (HORIZONS[name], expected.horizons[name].windows)


def test_learning_is_done_once_a_day(instrument: Instrument) -> None:
    assert learning_due(instrument_ids=[instrument.pk], now=TODAY)
    first = learn_reach(instrument_id=instrument.pk, now=TODAY)
    assert not learning_due(instrument_ids=[instrument.pk], now=TODAY + 12 * HOUR)
    assert learn_reach(instrument_id=instrument.pk, now=TODAY + 12 * HOUR) == first
    put_bars(instrument, past())
    assert learning_due(instrument_ids=[instrument.pk], now=TODAY + 24 * HOUR)
    learn_reach(instrument_id=instrument.pk, now=TODAY + 24 * HOUR)
    assert Reach.objects.count() == 2


def test_history_that_grew_backwards_is_learnt_from_again() -> None:
    instrument = make_instrument()
    put_bars(instrument, past(first=8 * DAY), until=TODAY)
    first = learn_reach(instrument_id=instrument.pk, now=TODAY)
    assert first is not None
    assert first.refused["4h"] == "not enough history: it takes 21 days of bars"
    put_bars(instrument, past(), until=TODAY)
    assert learning_due(instrument_ids=[instrument.pk], now=TODAY)
    again = learn_reach(instrument_id=instrument.pk, now=TODAY)
    assert again is not None
    assert (list(again.refused), again.input_digest == first.input_digest) == (["3d", "7d"], False)
    assert get_reach(instrument_id=instrument.pk, at=TODAY) == again
    assert not learning_due(instrument_ids=[instrument.pk], now=TODAY)


def test_nothing_is_learnt_where_no_bar_is_stored() -> None:
    instrument = make_instrument()
    assert learn_reach(instrument_id=instrument.pk, now=TODAY) is None
    assert not learning_due(instrument_ids=[instrument.pk], now=TODAY)
    assert state_chances(instrument_id=instrument.pk, now=TODAY) == []


def test_chances_are_those_of_the_core(instrument: Instrument) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    at = TODAY + 3 * HOUR
    found = reachability(instrument_id=instrument.pk, at=at + 4 * MINUTE)
    assert (found.at, list(found.refused)) == (at, ["3d", "7d"])
    bars = past()[: DAYS * DAY + 36]
    price = float(bars["close"][-1])
    assert found.price == price
    path, fitted = Path.of(bars), fit(Path.of(past(days=DAYS)))
    expected = {
        side: fitted.chances(path.upto(len(path)).now(), np.array([0.01]), is_up=side)["4h"][0]
        for side in (False, True)
    }
    chances = found.chances([price * np.exp(-0.01), price * np.exp(0.01)])
    np.testing.assert_allclose(chances["4h"], [expected[False], expected[True]], rtol=1e-9)
    assert chances["24h"][0] > chances["4h"][0]
    base = found.base([price * np.exp(-0.01)])
    assert base["4h"] == [pytest.approx(float(fitted.horizons["4h"].base(np.array([0.01]), is_up=False)[0]))]


def test_refusals_come_with_their_reason(instrument: Instrument) -> None:
    assert reachability(instrument_id=instrument.pk, at=TODAY).refused == dict.fromkeys(HORIZONS, NOT_LEARNT)
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    late = reachability(instrument_id=instrument.pk, at=TODAY + 13 * HOUR)
    assert late.refused == dict.fromkeys(HORIZONS, "bars are missing in the last week")
    assert late.chances([50_000.0]) == {}


def test_chances_are_stated_once_an_hour_for_fixed_distances_and_active_zones(instrument: Instrument) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    at = TODAY + 6 * HOUR
    close = float(past()["close"][DAYS * DAY + 6 * 12 - 1])
    heatmap = make_heatmap(instrument=instrument)
    type(heatmap).objects.update(zones_through=at)
    zone = make_zone(heatmap=heatmap, born_at=at - HOUR)
    type(zone).objects.update(price_low=close * 0.97, price_high=close * 0.98, price_peak=close * 0.975)
    around = make_zone(heatmap=heatmap, born_at=at - HOUR, number=2)
    type(around).objects.filter(pk=around.pk).update(price_low=close * 0.99, price_high=close * 1.01, price_peak=close)
    assert stating_due(instrument_ids=[instrument.pk], now=at)
    rows = state_chances(instrument_id=instrument.pk, now=at + 2 * MINUTE)
    assert [row.horizon for row in rows] == list(HORIZONS)
    short, _, _, week = rows
    assert (short.stated_at, short.due_at, short.price) == (at, at + 4 * HOUR, close)
    assert (short.zones, len(short.levels), len(short.chances), len(short.base)) == ([*[0] * 12, zone.pk], 13, 13, 13)
    assert short.levels[-1] == pytest.approx(close * 0.98)
    assert short.levels[0] == pytest.approx(close * np.exp(-0.0025))
    assert (week.levels, week.refused) == ([], "not enough history: it takes 77 days of bars")
    assert not stating_due(instrument_ids=[instrument.pk], now=at + 59 * MINUTE)
    assert state_chances(instrument_id=instrument.pk, now=at + 59 * MINUTE) == []
    later = state_chances(instrument_id=instrument.pk, now=at + HOUR)
    assert [row.horizon for row in later] == ["4h", "24h"]
    assert len(later[0].zones) == 13


def test_nothing_is_stated_after_the_fact(instrument: Instrument) -> None:
    """Bars end at noon: what is asked in the afternoon is not stated as of noon."""
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    assert state_chances(instrument_id=instrument.pk, now=TODAY + 14 * HOUR) == []


def test_outcomes_are_judged_once_the_horizon_is_over(instrument: Instrument) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    at = TODAY + HOUR
    state_chances(instrument_id=instrument.pk, now=at)
    assert judge(instrument_id=instrument.pk, now=at + 4 * HOUR - MINUTE) == 0
    assert judge(instrument_id=instrument.pk, now=at + 4 * HOUR) == 1
    assert judge(instrument_id=instrument.pk, now=at + 4 * HOUR) == 0
    outcome = Outcome.objects.get()
    ahead = past()[DAYS * DAY + 12 : DAYS * DAY + 12 + 48]
    assert (outcome.low, outcome.high, outcome.missing) == (ahead["low"].min(), ahead["high"].max(), 0)
    assert outcome.statement.horizon == "4h"


def test_missing_bars_are_waited_for_a_day() -> None:
    instrument = make_instrument()
    bars, at = past(), TODAY + HOUR
    hole = (bars["open_time"] >= epoch_ms(at) + 3 * STEP_MS) & (bars["open_time"] < epoch_ms(at) + 5 * STEP_MS)
    put_bars(instrument, bars, until=at)
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    state_chances(instrument_id=instrument.pk, now=at)
    put_bars(instrument, bars[~hole])
    assert judge(instrument_id=instrument.pk, now=at + 5 * HOUR) == 0
    assert judge(instrument_id=instrument.pk, now=at + 28 * HOUR) == 1
    assert set(Outcome.objects.values_list("missing", flat=True)) == {2}


@pytest.mark.parametrize("statement", ["UPDATE heatmaps_{} SET {} = {}", "DELETE FROM heatmaps_{0}"])
def test_rows_refuse_every_change(instrument: Instrument, statement: str) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    state_chances(instrument_id=instrument.pk, now=TODAY + HOUR)
    judge(instrument_id=instrument.pk, now=TODAY + 5 * HOUR)
    for table, column in (("outcome", "missing"), ("statement", "price"), ("reach", "learnt_through")):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table, column, column))
    assert (Reach.objects.count(), Outcome.objects.count()) == (1, 1)
    assert Statement.objects.count() == 2


def test_near_edge_is_the_one_that_price_meets_first(instrument: Instrument) -> None:
    zone = make_zone(heatmap=make_heatmap(instrument=instrument), born_at=moment(DAY_MS))
    assert [near_edge(zone, price) for price in (58_000.0, 59_100.0, 61_000.0)] == [59_000.04, None, 59_200.06]
