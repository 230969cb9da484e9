"""What every build of a map ends in: a frozen release, tiles beside what is stored, one pointer moved, one scale."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from heatmaps.core.estimators.base import parameters_digest
from heatmaps.core.tile import closed_before
from heatmaps.models import EstimatorRelease, Heatmap
from heatmaps.queries import measure_scale
from market.series import epoch_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .storing import Change

# The colour scale is measured on at least this much map.
SCALE_SPAN: Final = dt.timedelta(days=7)


class ReleaseChangedError(Exception):
    """An estimator's parameters differ from those frozen under its version."""

    permanent = True


def freeze_release(*, slug: str, version: str, parameters: Mapping[str, object]) -> EstimatorRelease:
    """Return a release, frozen now if it is new; raise ReleaseChangedError where it was with other parameters."""
    digest = parameters_digest(parameters)
    release, _ = EstimatorRelease.objects.get_or_create(
        slug=slug, version=version, defaults={"parameters": dict(parameters), "digest": digest}
    )
    if release.digest != digest:
        raise ReleaseChangedError(f"{release} was frozen with other parameters; give the new ones a new version")
    return release


def freeze_scale(heatmap: Heatmap) -> None:
    """Fix the range of colours once, as soon as there is enough to measure it on."""
    first, last = heatmap.built_from, heatmap.built_through
    if heatmap.display_floor_usd is None and first and last and last - first >= SCALE_SPAN:
        scale = measure_scale(heatmap=heatmap)
        heatmap.display_floor_usd, heatmap.display_ceiling_usd = scale.floor_usd, scale.ceiling_usd
        heatmap.save(update_fields=["display_floor_usd", "display_ceiling_usd"])


def note_changes(heatmap: Heatmap, changes: Sequence[Change], now: dt.datetime) -> tuple[int, int]:
    """Note on a map when tiles of it change and whether closed ones are among them; return how many and their bytes."""
    if _rewrites_closed(heatmap, changes):
        heatmap.revision += 1
    if changes:
        heatmap.updated_at = now
    return len(changes), sum(len(body or b"") for *_, body in changes)


def _rewrites_closed(heatmap: Heatmap, changes: Iterable[Change]) -> bool:
    """Whether a tile changes that readers were told to keep, on this or on any earlier run."""
    if heatmap.shown_through is None:
        return False
    shown_ms = epoch_ms(heatmap.shown_through)
    return any(col < closed_before(shown_ms, level) for level, _, col, _ in changes)


def point(heatmap: Heatmap, *, since: dt.datetime, through: dt.datetime, bins: tuple[int, int] | None) -> None:
    """Move the pointer that readers trust; everything it points at is written."""
    heatmap.built_from, heatmap.built_through = since, through
    heatmap.shown_through = max(through, heatmap.shown_through or through)
    if bins:
        heatmap.bin_lo = bins[0] if heatmap.bin_lo is None else min(heatmap.bin_lo, bins[0])
        heatmap.bin_hi = bins[1] if heatmap.bin_hi is None else max(heatmap.bin_hi, bins[1])
