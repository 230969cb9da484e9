"""Score all estimators of a set against hourly totals of liquidations, which have no price level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.score.hours import hours_of
from heatmaps.core.score.resampling import DRAWS, RANK_DRAWS, SEED
from heatmaps.core.score.totals import Totals
from market.queries import load_liquidation_totals

from .recording import Scored, releases
from .sets import compare
from .spans import WARM_UP, ScoreError

if TYPE_CHECKING:
    from .spans import Span

# A week is predicted from others: fewer would leave nothing to learn from.
LEAST_DAYS: Final = {"weeks": 21, "past": 28}


def score_totals(span: Span) -> Scored:
    """Run every estimator over the span and compare what it says was swept with what was liquidated."""
    if span.days < LEAST_DAYS[span.folds]:
        raise ScoreError(
            f"{span.days:.0f} days are too few: weeks are predicted from other weeks."
            f" Give a span of {LEAST_DAYS[span.folds]} days or more."
        )
    totals = load_liquidation_totals(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    if len(totals) == 0:
        raise ScoreError(
            f"There are no hourly totals of liquidations of {span.instrument.key} in this span. A file with the columns"
            " open_time_ms,long_liquidations_usd,short_liquidations_usd,src brings them in:"
            f" `python3 manage.py import_history FILE --instrument {span.instrument.key}`."
        )
    window = span.window()
    span.took(totals)
    hours = hours_of(window.bars, totals["open_time"])
    known = totals[np.isin(totals["open_time"], hours.start_ms)]
    compared = compare(span, window, hours)
    usd = np.stack([known["long_usd"], known["short_usd"]], axis=1)
    figures = Totals(hours, usd, compared.masses, compared.pairs, span.folds).figures()
    return Scored(figures, releases(compared.estimators), span.data_sha256(), _settings(span))


def _settings(span: Span) -> dict[str, object]:
    return {
        "maps": span.maps,
        "folds": span.folds,
        "beside": [one.instrument.key for one in span.beside],
        "draws": DRAWS,
        "rank_draws": RANK_DRAWS,
        "seed": SEED,
        "warm_up_days": WARM_UP.days,
    }
