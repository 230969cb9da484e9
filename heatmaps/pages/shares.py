"""Shares by leverage group for the chart's read-out."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.core.cache import cache

from heatmaps import queries
from heatmaps.pages import figures

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap
    from heatmaps.queries import Slice

_KEEP_SECONDS: Final = 300
_PERCENT: Final = 100.0


def for_client(*, heatmap: Heatmap | None, newest: Slice | None, at: dt.datetime | None) -> dict[str, Any] | None:
    """Return percentages by group and run of bins as bytes, and as of when they were kept; None where nothing is."""
    if heatmap is None or newest is None:
        return None
    key = f"heatmaps:leverage:{heatmap.pk}:{figures.epoch_ms(newest.at)}:{heatmap.revision}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        kept = _encode(queries.leverage_shares(heatmap=heatmap, close=newest.close, at=at))
        cache.set(key, kept, _KEEP_SECONDS)
    return kept or None


def _encode(found: queries.LeverageShares | None) -> dict[str, Any]:
    if found is None:
        return {}
    percent = np.rint(found.shares * _PERCENT).astype(np.uint8)
    return {
        "at_ms": figures.epoch_ms(found.at),
        "first": found.first,
        "coarse": queries.COARSE,
        "labels": list(found.labels),
        "percent": base64.b64encode(percent.tobytes()).decode("ascii"),
    }
