"""The figures with which this project began come out of its own command, to the third decimal (docs/research/0000)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from tests.history import needs_history

from .history import import_history, score, values

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

pytestmark = [needs_history, pytest.mark.django_db, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def run(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, Any]:
    with django_db_blocker.unblock(), transaction.atomic():
        import_history()
        found = score("--against", "hourly-totals", "--maps", "first-measurement")
        transaction.set_rollback(True)
    return found


def thousandths(run: dict[str, Any], measure: str, mode: str, *maps: str, versus: str = "") -> list[str]:
    """Longs of the maps, then shorts, as they were printed."""
    found = values(run, measure=measure, mode=mode, versus=versus)
    return [f"{found[name, side]:.3f}" for side in ("long", "short") for name in maps]


BOTH = ("engine-9", "null-9")


def test_ranks_as_first_measured(run: dict[str, Any]) -> None:
    assert thousandths(run, "rank", "live", "excursion") == ["0.714", "0.708"]
    # Equal masses share a rank here; when first measured, 608 hours without any were ranked in no order (0000).
    assert thousandths(run, "rank", "live", *BOTH) == ["0.849", "0.844", "0.839", "0.828"]


def test_logs_beside_the_control(run: dict[str, Any]) -> None:
    assert thousandths(run, "r2", "live", "control", *BOTH) == ["0.549", "0.618", "0.621", "0.511", "0.580", "0.584"]
    assert thousandths(run, "r2", "live", *BOTH, versus="control") == ["0.070", "0.073", "0.069", "0.072"]
    beyond = values(run, measure="r2-beyond", mode="live", versus="null-9")
    assert beyond["engine-9", "long"] == pytest.approx(-0.0004, abs=1e-4)
    assert beyond["engine-9", "short"] == pytest.approx(0.0, abs=1e-4)


def test_levels_frozen_and_live(run: dict[str, Any]) -> None:
    maps = ("control", "null-9", "engine-9", "smoothed-time-9", "smoothed-9")
    frozen, live = thousandths(run, "deviance", "frozen", *maps), thousandths(run, "deviance", "live", *maps)
    assert frozen[:5] == ["0.776", "0.790", "0.750", "0.789", "0.750"]
    assert frozen[5:] == ["0.791", "0.843", "0.835", "0.843", "0.835"]
    assert live[:5] == ["0.776", "0.879", "0.887", "0.879", "0.887"]
    assert live[5:] == ["0.791", "0.860", "0.864", "0.862", "0.862"]


def test_intervals_as_first_measured(run: dict[str, Any]) -> None:
    # 2,000 resamples of 56 days: another seed moves an end by about two thousandths.
    rows = {
        (row["map"], row["side"]): row
        for row in run["rows"]
        if row["measure"] == "r2" and row["mode"] == "live" and row["versus"] == "control"
    }
    for name, side, low, high in (("engine-9", "long", 0.050, 0.090), ("null-9", "long", 0.054, 0.094)):
        assert (rows[name, side]["low"], rows[name, side]["high"]) == pytest.approx((low, high), abs=0.0025)
