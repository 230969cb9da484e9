"""The 80 % interval by distance and side, as the page's scripts need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from heatmaps.core.bands import EDGES_PCT, Factors

if TYPE_CHECKING:
    from heatmaps.models import Heatmap


def for_client(*, heatmap: Heatmap) -> dict[str, Any] | None:
    """Return lower bucket edges [% from the close], factors [low, high] and classes of each side; None uncalibrated."""
    if "bands" not in heatmap.release.parameters:
        return None
    factors = Factors.of(heatmap.release.parameters)
    sure = dict(zip(("longs", "shorts"), factors.classes(), strict=True))
    return {"edges_pct": list(EDGES_PCT), **pairs(factors), "classes": sure}


def pairs(factors: Factors) -> dict[str, list[list[float]]]:
    """Write factors as [low, high] for each distance, of longs and of shorts."""
    longs, shorts = np.stack([factors.low, factors.high], axis=-1).round(3).tolist()
    return {"longs": longs, "shorts": shorts}


def reaches_estimate(*, heatmap: Heatmap) -> bool:
    """Tell whether at some distance the interval's upper end is the estimate itself."""
    known = for_client(heatmap=heatmap)
    return known is not None and any(high <= 1.0 for side in ("longs", "shorts") for _, high in known[side])
