"""Score maps against liquidations that were seen one by one, with their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators import ESTIMATORS, load_named
from heatmaps.core.judge import advantage, swept
from heatmaps.core.prints import slices_of, view_at
from heatmaps.core.score import Figure, Interval
from heatmaps.core.score.chances import DRAWS
from market.queries import load_liquidations
from market.series import HOUR_MS

from .recording import Scored, releases
from .sets import pairs_of
from .spans import WARM_UP, ScoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from heatmaps.core.grid import Floats
    from heatmaps.core.views import Slices

    from .spans import Span

# Fewer hours with a liquidation in reach say nothing about a map.
LEAST_HOURS: Final = 24


def score_liquidations(span: Span) -> Scored:
    """Compare where each map held positions with where liquidations were, in the bins that price went through."""
    prints = load_liquidations(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    if len(prints) == 0:
        raise ScoreError(
            f"No liquidations of {span.instrument.key} with prices are stored in this span. The feed of `manage.py up`"
            " records them; sums by the hour are scored by --against hourly-totals."
        )
    window = span.window()
    span.took(prints)
    since, until = span.wanted_ms
    at = slices_of(window, prints, np.arange(-(-since // HOUR_MS) * HOUR_MS, until - HOUR_MS + 1, HOUR_MS))
    hours = int((at.printed.sum(axis=(1, 2)) > 0.0).sum())
    if hours < LEAST_HOURS:
        raise ScoreError(
            f"{hours} hours of this span have a liquidation in the bins that price went through;"
            f" {LEAST_HOURS} are the least. Give a longer span."
        )
    estimators = {name: load_named(name, terms=span.terms) for name in span.names or ESTIMATORS}
    views = {name: view_at(one, window, at) for name, one in estimators.items()}
    settings: dict[str, object] = {"draws": DRAWS, "seed": 1, "warm_up_days": WARM_UP.days, "prints": len(prints)}
    settings["sampling"] = span.instrument.liquidation_sampling
    return Scored(list(_figures(views, at)), releases(estimators.values()), span.data_sha256(), settings)


def _figures(views: Mapping[str, Floats], at: Slices) -> Iterator[Figure]:
    days = len(np.unique(at.end_ms // (24 * HOUR_MS)))
    nothing = np.zeros_like(next(iter(views.values())))

    def figure(measure: str, name: str, value: Interval, n: int, versus: str = "") -> Figure:
        return Figure.of(value, n=n, days=days, measure=measure, map=name, mode="frozen", versus=versus)

    for name, view in views.items():
        found = swept(view, at)
        yield figure("swept-rank", name, Interval(found.rank, np.nan, np.nan), found.bins)
        yield figure("lift", name, Interval(found.lift, np.nan, np.nan), found.bins)
        # A map that holds nothing anywhere is the uniform one.
        yield figure("log-skill", name, advantage(view, nothing, at), found.segments)
    for name, rival in pairs_of(list(views)):
        gain = advantage(views[name], views[rival], at)
        yield figure("log-skill", name, gain, swept(views[name], at).segments, rival)
