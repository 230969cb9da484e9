from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from heatmaps import queries
from heatmaps.core.score import Figure, Interval
from heatmaps.models import ScoreRun
from heatmaps.operations.scoring.recording import Scored, record_score

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.django_db
FIGURE = Figure.of(Interval(0.5, 0.4, float("nan")), measure="rank", map="uniform", side="long", n=3, days=2)


def keep(now: dt.datetime, *, figures: Sequence[Figure] = (FIGURE,), against: str = "touches") -> ScoreRun:
    scored = Scored(figures, [{"slug": "uniform", "version": "1", "digest": "0" * 64}], "a" * 64, {"draws": 10})
    return record_score(subject="binance:BTCUSDT", against=against, command="manage.py score", scored=scored, now=now)


def test_run_is_kept_with_every_figure(now: dt.datetime) -> None:
    run = ScoreRun.objects.get(pk=keep(now).pk)
    assert run.rows == [
        {
            "measure": "rank",
            "map": "uniform",
            "side": "long",
            "mode": "",
            "versus": "",
            "value": 0.5,
            "low": 0.4,
            "high": None,
            "n": 3,
            "days": 2,
        }
    ]
    assert (run.created_at, run.settings) == (now, {"draws": 10})


@pytest.mark.parametrize(
    "statement",
    ["UPDATE heatmaps_scorerun SET rows = '[1]'", "DELETE FROM heatmaps_scorerun", "TRUNCATE heatmaps_scorerun"],
)
def test_database_refuses_every_change(now: dt.datetime, statement: str) -> None:
    run = keep(now)
    # What foreign keys still have to check would be refused first.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="score run"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert ScoreRun.objects.get() == run


def test_run_without_a_figure_or_data_is_refused(now: dt.datetime) -> None:
    with pytest.raises(IntegrityError, match="score_run_says_something"), transaction.atomic():
        keep(now, figures=())
    with pytest.raises(IntegrityError, match="score_run_has_its_data"), transaction.atomic():
        record_score(subject="x", against="y", command="z", scored=Scored([FIGURE], [], "", {}), now=now)


def test_lists_are_newest_first(now: dt.datetime) -> None:
    first, second = keep(now), keep(now + dt.timedelta(days=1))
    third = keep(now, against="zones")
    assert queries.list_scores(against="touches") == [second, first]
    assert queries.list_scores(subject="binance:BTCUSDT", most=1) == [second]
    assert queries.newest_scores(subject="binance:BTCUSDT") == [second, third]
