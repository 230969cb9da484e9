"""One row for each run of a score; nothing here ever changes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heatmaps.core.estimators.base import parameters_digest
from heatmaps.models import ScoreRun

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from heatmaps.core.estimators.base import Estimator
    from heatmaps.core.score import Figure


@dataclass(frozen=True, slots=True)
class Scored:
    """What a score found: its figures, of which estimators, over which input, under which settings."""

    figures: Sequence[Figure]
    estimators: Sequence[Mapping[str, str]]
    data_sha256: str
    settings: Mapping[str, object]


def releases(estimators: Iterable[Estimator]) -> list[Mapping[str, str]]:
    """Name estimators as a score run keeps them."""
    return [
        {"slug": one.slug, "version": one.version, "digest": parameters_digest(one.parameters)} for one in estimators
    ]


def record_score(  # noqa: PLR0913 -- the columns of the table
    *,
    subject: str,
    against: str,
    command: str,
    scored: Scored,
    now: dt.datetime,
    instrument_id: int | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> ScoreRun:
    """Keep a run; ``subject`` is venue:symbol or "simulator"."""
    return ScoreRun.objects.create(
        instrument_id=instrument_id,
        subject=subject,
        against=against,
        since=since,
        until=until,
        command=command,
        estimators=list(scored.estimators),
        settings=dict(scored.settings),
        data_sha256=scored.data_sha256,
        rows=[figure.as_row() for figure in scored.figures],
        created_at=now,
    )
