"""Stored score runs, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import F, Q

from heatmaps.core.estimators import registered_version
from heatmaps.core.reach import SLUG, VERSION
from heatmaps.models import EstimatorRelease, ScoreRun

from .maps import DEFAULT_ESTIMATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NULL: Final = "path-only"
# How maps are chosen and fits are kept apart unless a run says otherwise.
_DEFAULTS: Final[Mapping[str, str]] = {"maps": "registered", "folds": "weeks"}


def list_scores(*, subject: str | None = None, against: str | None = None, most: int = 100) -> Sequence[ScoreRun]:
    """Return up to ``most`` runs, newest first."""
    runs = ScoreRun.objects.order_by("-created_at", "-pk").select_related("instrument")
    if subject is not None:
        runs = runs.filter(subject=subject)
    if against is not None:
        runs = runs.filter(against=against)
    return list(runs[:most])


def page_scores(*, limit: int, before: int | None = None) -> tuple[list[ScoreRun], int | None]:
    """Return ``limit`` runs numbered below ``before``, newest first, and the ``before`` of the next page."""
    runs = ScoreRun.objects.order_by("-pk").select_related("instrument")
    found = list((runs if before is None else runs.filter(pk__lt=before))[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def newest_scores(*, subject: str) -> Sequence[ScoreRun]:
    """Return the newest run of each kind."""
    runs = ScoreRun.objects.filter(subject=subject).order_by("against", "-created_at", "-pk").distinct("against")
    return list(runs)


def standing_scores() -> list[ScoreRun]:
    """Return, of each subject and kind, the run over the longest span, the newest of equals: nobody chooses it.

    It has to be of the version that is in use, with its null beside it, fitted and compared as runs are by default:
    what was tried for research, or of one estimator alone, stands for nothing.
    """
    spans = ScoreRun.objects.filter(_is_current(), _by_default("maps"), _by_default("folds"))
    spans = spans.annotate(span=F("until") - F("since"))
    order = ("subject", "against", F("span").desc(nulls_last=True), "-created_at", "-pk")
    chosen = spans.order_by(*order).distinct("subject", "against").values("pk")
    runs = ScoreRun.objects.filter(pk__in=chosen).select_related("instrument")
    return list(runs.order_by("subject", "against"))


def _is_current() -> Q:
    ours = {"slug": DEFAULT_ESTIMATOR, "version": registered_version(DEFAULT_ESTIMATOR)}
    of_maps = Q(estimators__contains=[ours, {"slug": _NULL}])
    return of_maps | Q(estimators__contains=[{"slug": SLUG, "version": VERSION}])


def _by_default(setting: str) -> Q:
    named = f"settings__{setting}"
    return Q(**{named: _DEFAULTS[setting]}) | Q(**{f"{named}__isnull": True})


def list_releases() -> list[EstimatorRelease]:
    """List every frozen estimator, the newest first."""
    return list(EstimatorRelease.objects.order_by("-created_at", "-pk"))
