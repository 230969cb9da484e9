"""Stored score runs, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heatmaps.models import ScoreRun

if TYPE_CHECKING:
    from collections.abc import Sequence


def list_scores(*, subject: str | None = None, against: str | None = None, most: int = 100) -> Sequence[ScoreRun]:
    """Return up to ``most`` runs, newest first."""
    runs = ScoreRun.objects.order_by("-created_at", "-pk")
    if subject is not None:
        runs = runs.filter(subject=subject)
    if against is not None:
        runs = runs.filter(against=against)
    return list(runs[:most])


def newest_scores(*, subject: str) -> Sequence[ScoreRun]:
    """Return the newest run of each kind."""
    runs = ScoreRun.objects.filter(subject=subject).order_by("against", "-created_at", "-pk").distinct("against")
    return list(runs)
