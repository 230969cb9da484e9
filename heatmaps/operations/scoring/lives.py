"""Count how zones lived and what ended them, from what was told of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.base import parameters_digest
from heatmaps.core.score.following import estimated, follow
from heatmaps.core.score.zone_lives import CHANGED_MS, Lives, lived
from heatmaps.queries import get_current_heatmap, zones_between
from market.queries import load_open_interest, stored_span
from market.series import DAY_MS, HOUR_MS, STEP_MS, epoch_ms

from .recording import Scored
from .sets import NULL, OURS
from .spans import ScoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from heatmaps.core.estimators.base import BuiltEstimator
    from heatmaps.models import Zone
    from market.series import Records, Window

    from .spans import Span

PART_MS: Final = 7 * DAY_MS


def score_lives(span: Span) -> Scored:
    """Count the zones that formed in the span, as they were told of by its end, beside those of the null's map.

    The null's are followed here: its map keeps open interest constant, so that one sample is enough, whenever it was.
    """
    heatmap = get_current_heatmap(instrument_id=span.instrument.pk, estimator=OURS)
    told = [] if heatmap is None else zones_between(heatmap=heatmap, since=span.since, until=span.until, at=span.until)
    figures, releases = [], []
    if heatmap is not None and any(zone.born_at >= span.since for zone in told):
        figures += lived(_lives(span, told), epoch_ms(span.since))
        releases.append({name: getattr(heatmap.release, name) for name in ("slug", "version", "digest")})
    null, lives = _of_null(span)
    if len(lives.side):
        figures += lived(lives, epoch_ms(span.since), name=null.slug)
        releases.append({"slug": null.slug, "version": null.version, "digest": parameters_digest(null.parameters)})
    if not figures:
        raise ScoreError(
            f"No zone of {span.instrument.key} formed in this span."
            f" `python3 manage.py build_heatmap {span.instrument.key}` follows them through stored history."
        )
    return Scored(figures, releases, span.data_sha256(), {"changed_within_h": CHANGED_MS // HOUR_MS})


def _of_null(span: Span) -> tuple[BuiltEstimator, Lives]:
    estimator, window = load_built(NULL, terms=span.terms), span.window()
    if len(window.open_interest) == 0:
        window = replace(window, open_interest=_first_sample(span, window))
    contract_usd = span.instrument.contract_size if span.instrument.contract_type == "inverse" else None
    columns = estimated(estimator, _parts(window), contract_usd=contract_usd)
    return estimator, follow(columns, bin_bps=estimator.bin_bps)


def _first_sample(span: Span, window: Window) -> Records:
    """The first open interest that is stored at all, as if it had been so at the first bar."""
    end = (stored_span(instrument_id=span.instrument.pk) or (span.since, span.until))[1]
    found = load_open_interest(instrument_id=span.instrument.pk, since=span.since, until=end)[:1]
    if len(window.bars):
        found["time"] = window.bars["open_time"][0] + STEP_MS
    return found


def _parts(window: Window) -> Iterator[Window]:
    """The window in parts, so that not all of its columns are in memory at a time."""
    times, stop = window.bars["open_time"], len(window.bars)
    starts = np.arange(times[0], times[-1] + 1, PART_MS) if stop else times
    edges = [*np.searchsorted(times, starts).tolist(), stop]
    for first, after in itertools.pairwise(edges):
        yield replace(window, bars=window.bars[first:after], bar_ms=window.bar_ms[first:after])


def _lives(span: Span, zones: Sequence[Zone]) -> Lives:
    def formed(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([float(zone.evidence[name]) for zone in zones])

    lives = Lives(
        side=np.array([zone.position_side for zone in zones]),
        born_ms=np.array([epoch_ms(zone.born_at) for zone in zones]),
        ended_ms=np.array([epoch_ms(zone.ended_at or span.until) for zone in zones]),
        cause=np.array([zone.cause for zone in zones], np.str_),
        born_low=formed("price_low"),
        born_high=formed("price_high"),
        last_low=np.array([zone.price_low for zone in zones]),
        last_high=np.array([zone.price_high for zone in zones]),
    )
    told = [lives.born_ms, lives.ended_ms, lives.last_low, lives.last_high]
    span.took(np.frombuffer(b"".join(one.tobytes() for one in told), np.dtype("V8")))
    return lives
