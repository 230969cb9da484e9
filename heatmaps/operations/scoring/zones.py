"""Score zones as frozen at formation: touches against the same distance, liquidations against the path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators import load_estimator
from heatmaps.core.score.bands import HORIZONS, Bands, masses, touched
from heatmaps.core.score.hours import hours_of
from heatmaps.core.score.resampling import DRAWS, RANK_DRAWS, SEED
from heatmaps.core.score.totals import Totals
from heatmaps.core.score.walk import walk
from heatmaps.queries import get_current_heatmap, zones_between
from market.queries import load_liquidation_totals
from market.series import epoch_ms

from .recording import Scored
from .sets import NULL, OURS
from .spans import ScoreError
from .totals import LEAST_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.core.score import Figure
    from heatmaps.models import Zone
    from market.series import Window

    from .spans import Span

_NEVER: Final = np.iinfo(np.int64).max


def score_zones(span: Span) -> Scored:
    """Hold the zones that formed in the span to what came, by the band and the estimate frozen at their formation."""
    heatmap = get_current_heatmap(instrument_id=span.instrument.pk, estimator=OURS)
    zones = [] if heatmap is None else zones_between(heatmap=heatmap, since=span.since, until=span.until)
    formed = [zone for zone in zones if zone.born_at >= span.since]
    if heatmap is None or not formed:
        raise ScoreError(
            f"No zone of {span.instrument.key} formed in this span."
            f" `python3 manage.py build_heatmap {span.instrument.key}` follows them through stored history."
        )
    window, bands = span.window(), _bands(formed)
    span.took(np.frombuffer("".join(zone.evidence_sha256 for zone in formed).encode(), np.dtype("V1")))
    figures = [*touched(bands, window), *_liquidations(span, window, bands)]
    if not figures:
        raise ScoreError("No zone of this span is a day old by its end. Give a later --to.")
    null = load_estimator(NULL, terms=span.terms)
    release = {"slug": heatmap.release.slug, "version": heatmap.release.version, "digest": heatmap.release.digest}
    settings = {
        "draws": DRAWS,
        "rank_draws": RANK_DRAWS,
        "seed": SEED,
        "horizons": list(HORIZONS),
        "null": null.version,
    }
    return Scored(figures, [release], span.data_sha256(), settings)


def _bands(zones: Sequence[Zone]) -> Bands:
    """What was frozen at formation; the evidence holds numbers as text."""

    def numbers(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([float(zone.evidence[name]) for zone in zones])

    return Bands(
        born_ms=np.array([epoch_ms(zone.born_at) for zone in zones]),
        ended_ms=np.array([epoch_ms(zone.ended_at) if zone.ended_at else _NEVER for zone in zones]),
        side=np.array([0 if zone.position_side == 1 else 1 for zone in zones]),
        low=numbers("price_low"),
        high=numbers("price_high"),
        usd=numbers("usd"),
        price=numbers("price_at_formation"),
    )


def _liquidations(span: Span, window: Window, bands: Bands) -> list[Figure]:
    """What the zones that price goes through say of hourly totals, where there are any for long enough."""
    totals = load_liquidation_totals(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    if len(totals) == 0 or span.days < LEAST_DAYS[span.folds]:
        return []
    span.took(totals)
    hours = hours_of(window.bars, totals["open_time"])
    known = totals[np.isin(totals["open_time"], hours.start_ms)]
    usd = np.stack([known["long_usd"], known["short_usd"]], axis=1)
    null = walk(load_estimator(NULL, terms=span.terms), window, hours.start_ms).priced(hours.price)
    maps = {"zones": masses(bands, hours), NULL: null}
    figures = Totals(hours, usd, maps, [("zones", NULL)], span.folds).figures()
    return [figure for figure in figures if figure.mode == "frozen"]
