"""Chances scored: over stored history and as they were stated; nothing twice, nothing that is not over."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.utils.module_loading import import_string

from bhweb.pipeline import ERRANDS
from heatmaps.core.reach import DAY, Path
from heatmaps.core.touches import Touches, calibration_interval, expected_misses, figures, missed, walk
from heatmaps.models import ScoreRun, Statement
from heatmaps.operations import judge, learn_reach, state_chances
from heatmaps.operations.scoring import ScoreError, score, score_day
from heatmaps.queries import month_to_score, page_misses, standing_scores, stated_score_due, stated_touches
from tests.factories import make_instrument
from tests.heatmaps.touched import HOUR, START, TODAY, keep_misses, past, put_bars

if TYPE_CHECKING:
    from heatmaps.queries import Miss
    from market.models import Instrument

pytestmark = pytest.mark.django_db
KEY = "binance:BTCUSDT"
DAYS = dt.timedelta(days=1)


@pytest.fixture
def instrument() -> Instrument:
    """Bars of 26 days; chances of three hours stated and judged."""
    made = make_instrument(is_live=True)
    put_bars(made, past())
    learn_reach(instrument_id=made.pk, now=TODAY)
    for hours in (1, 2, 3):
        state_chances(instrument_id=made.pk, now=TODAY + hours * HOUR)
    judge(instrument_id=made.pk, now=TODAY + 8 * HOUR)
    return made


def test_figures_by_hand() -> None:
    chances, outcomes = np.array([0.05, 0.05, 0.95, 0.95, 0.5]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    found = Touches(chances, np.full(5, 0.5), outcomes, np.array([0, 0, 1, 1, 1]))
    assert missed(chances, outcomes).tolist() == [False, True, False, True, False]
    assert expected_misses(chances) == pytest.approx(0.2)
    rows = figures({"4h": found}, lambda day: f"2026-0{day + 1}")
    by = {(one.measure, one.map): one for one in rows}
    brier = (0.05**2 + 0.95**2 + 0.05**2 + 0.95**2 + 0.25) / 5
    assert by["brier", "har-excursions"].value == pytest.approx(brier)
    assert by["brier", "base-rate"].value == 0.25
    assert by["brier-skill", "har-excursions"].value == pytest.approx(1 - brier / 0.25)
    assert by["misses", "har-excursions"].value == 2.0
    assert by["misses expected", "har-excursions"].value == pytest.approx(0.2)
    assert (by["observed 0", "har-excursions"].value, by["observed 0", "har-excursions"].n) == (0.5, 2)
    assert by["stated 9", "har-excursions"].value == pytest.approx(0.95)
    assert {one.measure for one in rows if " 2026" in one.measure} == {"brier-skill 2026-01", "brier-skill 2026-02"}
    assert calibration_interval(found) == calibration_interval(found)
    ece = calibration_interval(found)
    assert ece.value == pytest.approx((0.9 + 0.9 + 0.5) / 5)
    assert ece.low <= ece.value <= ece.high


def test_stored_history_is_scored_as_the_core_walks_it(instrument: Instrument) -> None:
    run = score(key=KEY, against="touches", now=TODAY + 2 * DAYS, since=START + 21 * DAYS)
    found = walk(Path.of(past()), split=21 * DAY, every=7 * DAY)
    expected = figures({name: one for name, one in found.items() if len(one.days)}, lambda _: "2026-01")
    assert run.rows == [dict(one.as_row()) for one in expected]
    assert {row["mode"] for row in run.rows} == {"4h", "24h"}
    assert run.command.endswith("--from 2026-01-22T00:00 --to 2026-01-27T00:00 --against touches")


def test_history_that_teaches_nothing_is_refused_with_what_to_change(instrument: Instrument) -> None:
    with pytest.raises(ScoreError, match=r"Give a --from of 2026-01-22 or later\."):
        score(key=KEY, against="touches", now=TODAY)


def test_stated_chances_are_read_back_with_what_came(instrument: Instrument) -> None:
    found = stated_touches(instrument_id=instrument.pk, since=TODAY, until=TODAY + 8 * HOUR)
    assert list(found) == ["4h"]
    rows = Statement.objects.filter(horizon="4h").order_by("stated_at")
    expected = sorted(
        (row.stated_at, level, chance) for row in rows for level, chance in zip(row.levels, row.chances, strict=True)
    )
    assert found["4h"].chances.tolist() == [chance for _, _, chance in expected]
    first, price = rows[0].outcome, rows[0].price
    assert price is not None
    assert first.low is not None
    assert first.high is not None
    touched = [first.low <= level if level < price else first.high >= level for level in sorted(rows[0].levels)]
    assert found["4h"].outcomes[:12].tolist() == [float(one) for one in touched]
    assert stated_touches(instrument_id=instrument.pk, since=TODAY, until=TODAY + 4 * HOUR) == {}


def test_a_day_is_scored_once(instrument: Instrument) -> None:
    assert not stated_score_due(instrument_ids=[instrument.pk], now=TODAY + 10 * HOUR)
    after = TODAY + DAYS + 2 * HOUR
    assert stated_score_due(instrument_ids=[instrument.pk], now=after)
    run = score_day(instrument_id=instrument.pk, now=after)
    assert run is not None
    assert (run.against, run.until) == ("stated", TODAY + DAYS)
    assert {row["n"] for row in run.rows if row["measure"] == "brier"} == {36}
    assert not stated_score_due(instrument_ids=[instrument.pk], now=after)
    assert score_day(instrument_id=instrument.pk, now=after) is None
    assert ScoreRun.objects.count() == 1


def test_nothing_stated_is_said_to_be_so() -> None:
    put_bars(make_instrument(), past())
    with pytest.raises(ScoreError, match=r"They are stated each hour while `manage.py up` runs\."):
        score(key=KEY, against="stated", now=TODAY)


def test_a_month_waits_for_its_turn_and_for_what_it_has_to_learn_from(instrument: Instrument) -> None:
    at = dt.datetime(2026, 2, 26, 3, 5, tzinfo=dt.UTC)
    assert month_to_score(instrument_id=instrument.pk, now=at) is None
    assert month_to_score(instrument_id=instrument.pk, now=at - HOUR) is None


def test_a_month_is_scored_once_by_its_errand_and_says_its_command() -> None:
    made = make_instrument(is_live=True)
    bars = past(days=54)
    bars["open_time"] -= 22 * DAYS // dt.timedelta(milliseconds=1)
    put_bars(made, bars)
    errand = next(one for one in ERRANDS if one.slug == "month")
    at = dt.datetime(2026, 2, 26, 3, 5, tzinfo=dt.UTC)
    assert errand.due(instrument_ids=[made.pk], now=at) == {made.pk}
    import_string(errand.work)(instrument_id=made.pk, now=at)
    # There are no hourly totals of liquidations: what can not be scored is left out.
    [run] = ScoreRun.objects.all()
    assert (run.against, run.since, run.until) == ("touches", START, START + 31 * DAYS)
    assert run.command == (
        f"python3 manage.py score {made.key} --from 2026-01-01T00:00 --to 2026-02-01T00:00 --against touches"
    )
    assert {row["mode"] for row in run.rows} >= {"4h", "24h"}
    assert errand.due(instrument_ids=[made.pk], now=at) == set()
    import_string(errand.work)(instrument_id=made.pk, now=at)
    assert ScoreRun.objects.count() == 1


def test_misses_come_page_by_page_with_all_levels_of_a_statement() -> None:
    instrument = make_instrument()
    put_bars(instrument, past())
    keep_misses(instrument)
    everything, end = page_misses(limit=50)
    assert end is None
    assert [(one.level, one.is_touched, one.zone_id) for one in everything] == 3 * [
        (59_000.0, True, None),
        (60_100.0, False, None),
    ]
    assert [one.stated_at for one in everything[::2]] == [TODAY + hours * HOUR for hours in (3, 2, 1)]
    pages: list[Miss] = []
    before: int | None = None
    for count in (2, 1, 0):
        page, before = page_misses(limit=1, before=before)
        assert (before is None) == (count == 0)
        pages += page
    assert pages == everything


def test_the_longest_span_stands(instrument: Instrument) -> None:
    long = score(key=KEY, against="touches", now=TODAY + 2 * DAYS, since=START + 21 * DAYS)
    score(key=KEY, against="touches", now=TODAY + 3 * DAYS, since=START + 23 * DAYS)
    assert [run.pk for run in standing_scores()] == [long.pk]
    again = score(key=KEY, against="touches", now=TODAY + 4 * DAYS, since=START + 21 * DAYS)
    assert [run.pk for run in standing_scores()] == [again.pk]
