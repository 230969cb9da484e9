from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.estimators import ESTIMATORS
from heatmaps.core.trial import trial
from heatmaps.models import ScoreRun
from heatmaps.operations.scoring import ScoreError, score_simulator

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.django_db
BASELINES = list(ESTIMATORS)[1:]


def test_command_prints_and_keeps_every_figure() -> None:
    out = StringIO()
    asked = ("score", "simulator", "--worlds", "base", "--seeds", "1", "--days", "10", "--jobs", "1", "--json")
    call_command(*asked, stdout=out)
    found = json.loads(out.getvalue())
    [trial] = found["trials"]
    assert (trial["world"], trial["seed"], list(trial["figures"])) == ("base", 1, list(ESTIMATORS))
    run = ScoreRun.objects.get()
    assert [kept["id"] for kept in found["runs"]] == [run.pk]
    assert (run.subject, run.against, run.instrument_id) == ("simulator", "base", None)
    assert run.command == "python3 manage.py score simulator --worlds base --seeds 1 --days 10 --json"
    kept = {(row["measure"], row["map"], row["versus"], row["mode"]): row for row in run.rows if row["side"] == "both"}
    figures = [row for row in run.rows if not row["measure"].startswith("coverage")]
    assert len(figures) == 8 * len(ESTIMATORS) + len(BASELINES)
    own = kept["swept-rank", "open-interest", "", "seed 1"]
    assert (own["value"], own["low"]) == (trial["figures"]["open-interest"]["swept_rank"], None)
    ahead = kept["log-skill", "open-interest", "path-only", "seed 1"]
    assert ahead["low"] <= ahead["value"] <= ahead["high"]
    by_day = np.array(trial["coverage"]["open-interest"]["80"])
    assert by_day.shape == (5, 16, 2)
    inside, count = by_day.sum(axis=(0, 1)).tolist()
    pooled = kept["coverage-80", "open-interest", "", ""]
    assert (pooled["value"], pooled["n"], pooled["days"]) == (inside / count, count, 5)
    assert pooled["low"] <= pooled["value"] <= pooled["high"]
    [near] = [
        row
        for row in run.rows
        if (row["measure"], row["map"], row["side"], row["mode"]) == ("coverage-90", "path-only", "short", "0 to 1 %")
    ]
    inside, count = np.array(trial["coverage"]["path-only"]["90"])[:, 8].sum(axis=0).tolist()
    assert (near["value"], near["n"]) == (inside / count, count)
    assert [release["slug"] for release in run.estimators] == list(ESTIMATORS)


def test_runs_beside_each_other_find_what_one_alone_finds(now: dt.datetime) -> None:
    judged = score_simulator(worlds=["base"], seeds=2, days=10, jobs=2, now=now)
    assert judged.trials[1] == trial(world="base", seed=2, days=10)
    assert [one["seed"] for one in judged.trials] == [1, 2]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"worlds": ["moon"]}, "There is no world 'moon'. Known: all, base, high-leverage, misspecified."),
        ({"seeds": 0}, "Seeds and jobs are counted from 1."),
        ({"days": 4}, "A trial needs 10 days or more: half of them only fill the map."),
    ],
)
def test_what_can_not_be_judged_is_refused(now: dt.datetime, changed: dict[str, object], message: str) -> None:
    with pytest.raises(ScoreError) as refused:
        score_simulator(**{"worlds": ["base"], "seeds": 1, "days": 10, "jobs": 1, "now": now, **changed})  # type: ignore[arg-type]
    assert str(refused.value) == message
    assert not ScoreRun.objects.exists()


def test_command_says_what_to_change() -> None:
    with pytest.raises(CommandError, match="There is no world 'moon'"):
        call_command("score", "simulator", "--worlds", "moon")
