"""The scorecard: empty it says so; full it shows stored figures, verdicts from intervals, and the command of each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from heatmaps.operations.scoring import score
from heatmaps.pages import scorecard
from tests.factories import make_heatmap, make_instrument
from tests.heatmaps.scoring.test_touches import DAYS
from tests.heatmaps.touched import START, TODAY, keep_misses, past, put_bars
from tests.web.published import API, body
from tests.web.scored import CURRENT, fill, gain, keep, prints, totals, worlds

pytestmark = pytest.mark.django_db
KEY = "binance:BTCUSDT"


def text() -> str:
    response = Client().get("/scorecard/")
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_an_empty_scorecard_says_so_and_shows_no_figure() -> None:
    said = text()
    assert said.count("not scored yet") == 9
    assert "Nothing has been scored yet" in said
    assert "Nothing stated has been scored yet" in said
    assert "No miss is kept yet" in said
    assert "No estimator is frozen yet" in said
    assert re.findall(r"\d\.\d{2,}", said) == []


@pytest.mark.parametrize(
    ("wick", "geometry", "verdicts"),
    [
        (0.05, -0.002, ["shown", "not shown"]),
        (-0.001, 0.01, ["not shown", "shown"]),
    ],
)
def test_verdicts_follow_from_intervals(wick: float, geometry: float, verdicts: list[str]) -> None:
    run = keep(totals(wick=wick, geometry=geometry), instrument=make_instrument())
    found = scorecard.load().claims[:2]
    assert [claim.verdict for claim in found] == verdicts
    assert [claim.runs for claim in found] == [(run.pk,), (run.pk,)]
    assert found[0].subject == KEY
    said = text()
    assert "longs +0.070 [0.050, 0.090] explained beyond wick and volume" in said if wick > 0 else True


def test_single_liquidations_have_a_verdict_of_their_own() -> None:
    keep([prints(-0.01)], instrument=make_instrument(), against="liquidations")
    found = scorecard.load()
    assert [(claim.verdict, claim.subject) for claim in found.claims[2:3]] == [("not shown", KEY)]
    assert found.prints[0].cells == ("+0.090 [−0.010, 0.190]", "412", "30")  # a true minus


@pytest.mark.parametrize(
    ("estimators", "chosen"),
    [
        ([{**CURRENT[0], "version": "0"}, CURRENT[1]], {}),
        (CURRENT[:1], {}),
        (CURRENT, {"maps": "research", "folds": "weeks"}),
        (CURRENT, {"maps": "registered", "folds": "past"}),
    ],
)
def test_what_is_not_the_version_in_use_beside_its_null_stands_for_nothing(
    estimators: list[dict[str, str]], chosen: dict[str, object]
) -> None:
    rows = totals(wick=0.05, geometry=0.01)
    run = keep(rows, instrument=make_instrument(), estimators=estimators, settings=chosen)
    found = scorecard.load()
    assert found.claims[0].verdict == "not scored yet"
    assert [one.pk for one in found.runs] == [run.pk]


def test_one_side_is_not_enough() -> None:
    rows = totals(wick=0.05, geometry=0.01)
    rows[-1] = gain("r2-beyond", "short", -0.01, versus="path-only")
    keep(rows, instrument=make_instrument())
    assert [claim.verdict for claim in scorecard.load().claims[:2]] == ["shown", "not shown"]


def test_made_up_data_shows_nothing() -> None:
    keep(totals(wick=0.05, geometry=0.01), instrument=make_instrument(venue="simulated", is_simulated=True))
    assert scorecard.load().claims[0].verdict == "not scored yet"


def test_stored_runs_stand_on_the_page_with_their_commands() -> None:
    instrument = make_instrument()
    release = make_heatmap(instrument=instrument).release
    put_bars(instrument, past())
    run = score(key=KEY, against="touches", now=TODAY + 2 * DAYS, since=START + 21 * DAYS)
    page, said = scorecard.load(), text()
    assert run.command in said
    assert [one.horizon for one in page.walked.diagrams] == ["4 h", "24 h"]
    brier = next(row for row in run.rows if (row["measure"], row["map"]) == ("brier", "har-excursions"))
    assert f"{brier['value']:.3f}" in said
    for diagram in page.walked.diagrams:
        mode = diagram.horizon.replace(" ", "")
        counts = [row["n"] for row in run.rows if row["measure"].startswith("observed ") and row["mode"] == mode]
        assert [one.count for one in diagram.tenths] == [count for count in counts if count]
        ece = next(row for row in run.rows if (row["measure"], row["mode"]) == ("ece", mode))
        assert diagram.off_text == f"{ece['value']:.3f}"
        assert [one.radius for one in diagram.tenths] == ["2.4" if one.count < 20 else "3.4" for one in diagram.tenths]
    assert f"{release.slug} {release.version}" in said
    assert page.walked.months[0].names == (KEY, "2026-01")
    assert page.walked.missed in said
    skills = {row["mode"]: row["low"] > 0 for row in run.rows if row["measure"] == "brier-skill"}
    by_text = {claim.text: claim.verdict for claim in page.claims}
    for mode, word in (("4h", "4 h"), ("24h", "24 h")):
        expected = "shown" if skills[mode] else "not shown"
        assert by_text[f"Chance of a touch within {word} beats the base rate"] == expected


def test_simulated_worlds_and_coverage_stand_apart() -> None:
    keep(worlds(), instrument=None, against="base")
    page = scorecard.load()
    assert [one.names for one in page.worlds] == [("base", "open-interest"), ("base", "path-only")]
    assert page.worlds[0].cells[0] == "0.86 to 0.93"
    assert page.worlds[1].cells[-1] == "+0.200 [0.100, 0.300]"
    assert [(one.names, one.cells) for one in page.coverage] == [
        (("base", "80%", "open-interest"), ("0.790 [0.690, 0.890]", "300", "30"))
    ]
    assert [one.names for one in page.coverage_by_distance] == [("base", "80%", "long"), ("base", "80%", "short")]
    long, short = (one.cells for one in page.coverage_by_distance)
    assert (long[0], long[1], short[7]) == ("0.97 [0.87, 1.07], n 300", "—", "0.61 [0.51, 0.71], n 300")
    assert "0.97 [0.87, 1.07], n 300" in text()


@pytest.mark.parametrize(("ahead", "verdict"), [(0.2, "shown"), (-0.0001, "not shown")])
def test_a_missed_demand_in_a_world_is_said(ahead: float, verdict: str) -> None:
    run = keep(worlds(over_null=ahead), instrument=None, against="base")
    found = {claim.text: claim for claim in scorecard.load().claims}
    assert found["Places simulated liquidations better than every rule, on every seed"].verdict == "shown"
    claim = found["Places simulated liquidations better than the path of price alone, on every seed"]
    assert (claim.verdict, claim.subject, claim.runs) == (verdict, "world base", (run.pk,))
    missed = "missed: log-skill −0.0001 [−0.1001, 0.0999] over path-only, seed 1"  # a true minus
    assert (missed in text()) == (verdict == "not shown")
    assert found["80% intervals hold 75 to 85% of simulated amounts"].verdict == "shown"


def test_every_part_of_a_full_scorecard_says_something() -> None:
    instrument = make_instrument()
    put_bars(instrument, past())
    make_heatmap(instrument=instrument)
    fill(instrument)
    said = text()
    assert "No miss" not in said
    assert said.count("Not scored yet") == 0
    assert "7 (few)" in said
    assert "Small marks rest on fewer than 20 chances." in said


def test_misses_are_listed_on_the_page_and_in_the_api() -> None:
    instrument = make_instrument()
    put_bars(instrument, past())
    keep_misses(instrument)
    found: Any = body(Client(), f"{API}/scorecard/misses/?limit=2")
    assert [(one["level"], one["chance"], one["is_touched"]) for one in found["results"]] == 2 * [
        (59_000.0, 0.04, True),
        (60_100.0, 0.95, False),
    ]
    assert len(body(Client(), f"{API}/scorecard/misses/?before={found['next']}")["results"]) == 2
    assert len(scorecard.load().misses) == 6
    said = text()
    assert "4% touched (price went 58,900 to 60,050)" in said
    assert "95% not touched (price went 58,900 to 60,050)" in said


def test_the_api_gives_claims_and_runs_to_everyone() -> None:
    instrument = make_instrument()
    make_heatmap(instrument=instrument)
    runs = [keep(totals(wick=0.05, geometry=-0.01), instrument=instrument) for _ in range(3)]
    answer = body(Client(), f"{API}/scorecard/")
    assert [one["verdict"] for one in answer["claims"][:2]] == ["shown", "not shown"]
    assert answer["releases"][0]["slug"] == "open-interest"
    first = body(Client(), f"{API}/scorecard/runs/?limit=2")
    assert [one["id"] for one in first["results"]] == [runs[2].pk, runs[1].pk]
    assert first["results"][0]["rows"] == runs[2].rows
    rest = body(Client(), f"{API}/scorecard/runs/?limit=2&before={first['next']}")
    assert ([one["id"] for one in rest["results"]], rest["next"]) == ([runs[0].pk], None)
    assert Client().get(f"{API}/scorecard/runs/?limit=0").status_code == 400
