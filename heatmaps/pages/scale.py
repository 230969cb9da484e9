"""The range of the colour scale: fixed for a heatmap, never for a view, so that a colour keeps its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from heatmaps import queries
from heatmaps.core.scale import DisplayScale as Scale

if TYPE_CHECKING:
    from heatmaps.models import Heatmap

__all__ = ["Scale", "display_scale"]

# Until the scale is frozen with the heatmap, a measured one serves this long.
_KEEP_SECONDS: Final = 600


def display_scale(*, heatmap: Heatmap) -> Scale:
    """Return the colour range frozen with a heatmap, or a measured one while the map is younger than a week."""
    if heatmap.display_floor_usd is not None and heatmap.display_ceiling_usd is not None:
        return Scale(heatmap.display_floor_usd, heatmap.display_ceiling_usd)
    key = f"heatmaps:scale:{heatmap.pk}"
    kept: Scale | None = cache.get(key)
    if kept is None:
        kept = queries.measure_scale(heatmap=heatmap)
        cache.set(key, kept, _KEEP_SECONDS)
    return kept
