"""The scorecard: what was measured, what that shows, and every miss. It reads stored runs and computes no score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps import queries
from heatmaps.core.bands import distance_names
from heatmaps.pages import figures

from .claims import claims
from .coverage import by_distance, coverage
from .fits import FIT, FitRow, fits
from .reading import STATED, TOTALS, TOUCHES, Run, of_kind
from .reliability import TICKS, Diagram, Tick, diagrams
from .tables import (
    MissRow,
    Row,
    chances,
    chances_by_month,
    misses,
    months_of_nulls,
    nulls,
    prints,
    worlds,
)
from .wording import Claim

if TYPE_CHECKING:
    from heatmaps.models import EstimatorRelease

_RUNS: Final = 60
_MISSES: Final = 40
_FITS: Final = 40

__all__ = ["Claim", "Scorecard", "load", "load_claims"]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in the list of all."""

    pk: int
    subject: str
    against: str
    span: str
    made_text: str
    command: str
    data: str


@dataclass(frozen=True, slots=True)
class Touching:
    """Chances of a touch from one source: over stored history, or as they were stated."""

    slug: str
    diagrams: list[Diagram]
    rows: list[Row]
    months: list[Row]
    runs: tuple[int, ...]
    missed: str


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What the page shows."""

    claims: list[Claim]
    walked: Touching
    stated: Touching
    nulls: list[Row]
    null_months: list[Row]
    prints: list[Row]
    worlds: list[Row]
    coverage: list[Row]
    coverage_by_distance: list[Row]
    fits: list[FitRow]
    misses: list[MissRow]
    releases: list[EstimatorRelease]
    runs: list[RunRow]
    ticks: tuple[Tick, ...] = TICKS
    distances: tuple[str, ...] = tuple(distance_names())


def load() -> Scorecard:
    """Read the page."""
    standing = [Run.of(row) for row in queries.standing_scores()]
    newest, fitted = queries.list_scores(most=_RUNS), queries.list_scores(against=FIT, most=_FITS)
    chosen = {run.pk for run in standing}
    others = [Run.of(row) for row in newest if row.pk not in chosen and row.against == TOTALS]
    others = [run for run in others if run.is_real and run.row.settings.get("maps", "registered") == "registered"]
    return Scorecard(
        claims=claims(standing),
        walked=_touching("walked", of_kind(standing, TOUCHES)),
        stated=_touching("stated", of_kind(standing, STATED)),
        nulls=nulls(standing),
        null_months=months_of_nulls(others),
        prints=prints(standing),
        worlds=worlds(standing),
        coverage=coverage(standing),
        coverage_by_distance=by_distance(standing),
        fits=fits([Run.of(row) for row in fitted]),
        misses=misses(queries.page_misses(limit=_MISSES)[0]),
        releases=queries.list_releases(),
        runs=[_run(run) for run in _listed(standing, [Run.of(row) for row in [*newest, *fitted]])],
    )


def load_claims() -> list[Claim]:
    """Read what is shown and what is not."""
    return claims([Run.of(row) for row in queries.standing_scores()])


def _touching(slug: str, runs: list[Run]) -> Touching:
    return Touching(
        slug, diagrams(runs), chances(runs), chances_by_month(runs), tuple(run.pk for run in runs), _missed(runs)
    )


def _missed(runs: list[Run]) -> str:
    """Say how many misses there were, and how many there are when every chance holds what it says."""
    came = sum(one.value or 0.0 for run in runs for one in run.all(measure="misses"))
    due = sum(one.value or 0.0 for run in runs for one in run.all(measure="misses expected"))
    total = sum(one.n for run in runs for one in run.all(measure="misses"))
    return f"{came:,.0f} of {total:,}; {due:,.0f} are expected where every chance holds what it says" if total else ""


def _listed(standing: list[Run], newest: list[Run]) -> list[Run]:
    """Every run that a figure on the page refers to is among them."""
    return sorted({run.pk: run for run in [*newest, *standing]}.values(), key=lambda run: -run.pk)


def _run(run: Run) -> RunRow:
    return RunRow(
        pk=run.pk,
        subject=run.subject,
        against=run.row.against,
        span=run.span,
        made_text=f"{figures.moment(run.row.created_at)} UTC",
        command=run.row.command,
        data=run.row.data_sha256[:12],
    )
