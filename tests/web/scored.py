"""Score runs for the scorecard's tests: made-up figures, kept by the real operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.utils import timezone

from heatmaps.core.estimators import registered_version
from heatmaps.core.reach import SLUG, VERSION
from heatmaps.core.score import Figure
from heatmaps.core.touches import Touches, figures
from heatmaps.operations.scoring import Scored, record_score
from tests.heatmaps.touched import START, TODAY, keep_misses

if TYPE_CHECKING:
    from heatmaps.models import ScoreRun
    from market.models import Instrument


# The releases that are in use.
CURRENT = [
    {"slug": slug, "version": version, "digest": "0" * 64}
    for slug, version in (
        *((slug, registered_version(slug) or "") for slug in ("open-interest", "path-only")),
        (SLUG, VERSION),
    )
]


def keep(
    rows: list[Figure],
    *,
    instrument: Instrument | None,
    against: str = "hourly-totals",
    estimators: list[dict[str, str]] | None = None,
    settings: dict[str, object] | None = None,
) -> ScoreRun:
    scored = Scored(rows, list(estimators or CURRENT), "a" * 64, settings or {})
    return record_score(
        subject=instrument.key if instrument else "simulator",
        against=against,
        command=f"python3 manage.py score of {against}",
        scored=scored,
        now=timezone.now(),
        instrument_id=instrument.pk if instrument else None,
        since=START if instrument else None,
        until=TODAY if instrument else None,
    )


def gain(measure: str, side: str, low: float, *, versus: str, mode: str = "frozen") -> Figure:
    ends = {"value": low + 0.02, "low": low, "high": low + 0.04, "n": 1344, "days": 56}
    return Figure(measure=measure, map="open-interest", side=side, mode=mode, versus=versus, **ends)  # type: ignore[arg-type]  # a float or an int


def totals(*, wick: float, geometry: float) -> list[Figure]:
    return [
        gain(measure, side, low, versus=versus)
        for side in ("long", "short")
        for measure, versus, low in (
            ("r2", "control", wick),
            ("r2", "path-only", geometry),
            ("r2-beyond", "path-only", geometry),
        )
    ]


def touches(*, count: int = 4000, few: int = 7) -> list[Figure]:
    """Figures of chances that hold what they say, with so few in the last tenth."""
    draw = np.random.default_rng(4)
    chances = np.concatenate([draw.uniform(0.0, 0.9, count), np.full(few, 0.95)])
    outcomes = (draw.uniform(size=len(chances)) < chances).astype(np.float64)
    days = np.arange(len(chances)) * 40 // len(chances)
    found = Touches(chances, np.full(len(chances), 0.45), outcomes, days)
    return list(figures({"4h": found, "7d": found}, lambda day: f"2026-0{1 + day // 31}"))


def worlds(*, over_null: float = 0.2) -> list[Figure]:
    """Figures of two maps in a simulated world, and of coverage: all of it, and two cells by side and distance."""

    def row(measure: str, value: float, *, of_map: str = "open-interest", versus: str = "", seed: int = 1) -> Figure:
        return Figure(measure, of_map, "both", f"seed {seed}", versus, value, value - 0.1, value + 0.1, 300, 30)

    def covered(value: float, side: str = "both", mode: str = "") -> Figure:
        return Figure("coverage-80", "open-interest", side, mode, "", value, value - 0.1, value + 0.1, 300, 30)

    ours = [row("swept-rank", 0.86), row("swept-rank", 0.93, seed=2), row("log-skill", 0.05, versus="turnover")]
    ours += [row("log-skill", over_null, versus="path-only")]
    cells = [covered(0.79), covered(0.97, "long", "0 to 1 %"), covered(0.61, "short", "20 % and more")]
    return [*ours, row("swept-rank", 0.5, of_map="path-only"), *cells]


def prints(low: float) -> Figure:
    """How much better our map places liquidations than the null."""
    return Figure("log-skill", "open-interest", "both", "frozen", "path-only", low + 0.1, low, low + 0.2, 412, 30)


def fill(instrument: Instrument) -> None:
    """Put something into every part of the scorecard."""
    keep(totals(wick=0.05, geometry=-0.01), instrument=instrument)
    for against in ("touches", "stated"):
        keep(touches(), instrument=instrument, against=against)
    keep(worlds(), instrument=None, against="base")
    keep([prints(0.01)], instrument=instrument, against="liquidations")
    keep_misses(instrument)
