"""Fit scale, turnover and leverage weights to liquidations that were seen; kept like a score, never put in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators.open_interest import OpenInterest
from heatmaps.core.fitting import Fit, fit
from heatmaps.core.leverage import GROUP_LABELS
from heatmaps.core.score import Figure, Interval
from heatmaps.core.steps import cut_steps, sampled_ends
from market.queries import load_liquidations
from market.series import DAY_MS, STEP_MS

from .recording import Scored, releases
from .spans import ScoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.core.steps import Steps
    from market.series import Records

    from .spans import Span

FIT: Final = "fit"
# Steps that only fill the map, and the least that is fitted after them.
BURN_IN: Final = 4 * DAY_MS // STEP_MS
LEAST_DAYS: Final = 8


def fit_prints(span: Span) -> Scored:
    """Fit the prints of a span; half of its days are held out to tell whether the weights predict."""
    if span.instrument.contract_type == "inverse":
        raise ScoreError(
            "Inverse contracts are not fitted yet: their prints are in base units, their maps in contracts."
        )
    prints = load_liquidations(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    window = span.window()
    span.took(prints)
    ours = OpenInterest(terms=span.terms)
    ends = sampled_ends(window)
    steps = cut_steps(window, ends, width=ours.width, through_ms=None, digest=b"", reading=ours.options.reading)
    burn_in = max(BURN_IN, int(np.searchsorted(steps.end_ms, span.wanted_ms[0], side="right")))
    if len(steps) - burn_in < LEAST_DAYS * DAY_MS // STEP_MS:
        raise ScoreError(f"A fit needs {LEAST_DAYS} days of steps after {BURN_IN} steps that fill the map.")
    deposits = ours.deposits[ours.table_at(int(steps.end_ms[-1]))]
    try:
        found = fit(steps, deposits, _seen(prints, steps), bin_bps=ours.bin_bps, burn_in=burn_in)
    except ValueError as error:
        raise ScoreError(f"{error}.".capitalize()) from error
    count, days = len(steps) - burn_in, len(np.unique(steps.end_ms[burn_in:] // DAY_MS))
    settings: dict[str, object] = {
        "sampling": span.instrument.liquidation_sampling,
        "prints": len(prints),
        "burn_in": burn_in,
        "is_promotable": found.is_promotable,
    }
    return Scored(list(_figures(found, count, days)), releases([ours]), span.data_sha256(), settings)


def _seen(prints: Records, steps: Steps) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Contracts seen in each step, [step, side]."""
    seen = np.zeros((len(steps), 2))
    place = np.searchsorted(steps.end_ms, prints["time"])
    used = place < len(steps)
    side = np.where(prints["position_side"][used] == 1, 0, 1)
    np.add.at(seen, (place[used], side), prints["quantity"][used])
    return seen


def _figures(found: Fit, count: int, days: int) -> Iterator[Figure]:
    def plain(measure: str, value: float, mode: str = "") -> Figure:
        known = Interval(value, float("nan"), float("nan"))
        return Figure.of(known, measure=measure, map=OpenInterest.slug, mode=mode, n=count, days=days)

    yield plain("scale", found.scale)
    yield plain("turnover", found.turnover)
    for turnover, likelihood in found.profile.items():
        yield plain("log-likelihood", likelihood, f"turnover {turnover}")
    for label, weight in zip(GROUP_LABELS, found.weights.tolist(), strict=True):
        yield plain("weight", weight, label)
    yield Figure.of(
        found.ahead, measure="deviance-gain", map=OpenInterest.slug, versus="scale alone", n=count // 2, days=days // 2
    )
