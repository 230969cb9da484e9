"""Fit scale, turnover and leverage weights to liquidations that were seen; kept like a score, never put in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators.open_interest import OpenInterest
from heatmaps.core.fitting import Fit, fit
from heatmaps.core.leverage import GROUP_LABELS
from heatmaps.core.score import Figure, Interval
from heatmaps.core.score.resampling import share
from heatmaps.core.steps import cut_steps, sampled_ends
from market.queries import load_liquidation_totals, load_liquidations
from market.series import DAY_MS, HOUR_MS, STEP_MS

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
    totals = load_liquidation_totals(instrument_id=span.instrument.pk, since=span.since, until=span.until)
    window = span.window()
    span.took(prints, *([totals] if len(totals) else []))
    capture = _capture(prints, totals)
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
    figures = [*_figures(found, count, days), *_liquidated(found.scale, capture)]
    return Scored(figures, releases([ours]), span.data_sha256(), settings)


@dataclass(frozen=True, slots=True)
class _Capture:
    """Which share of liquidated USD a feed of prints told of, in ``hours`` whose totals are stored."""

    share: Interval
    hours: int
    days: int


def _capture(prints: Records, totals: Records) -> _Capture | None:
    """Prints beside hourly totals of the same market, resampled by days; None where no totals are stored.

    Hours before the first print and after the last are left out: the feed was not listened to.
    """
    if len(prints) == 0 or len(totals) == 0:
        return None
    heard = (totals["open_time"] >= prints["time"][0]) & (totals["open_time"] + HOUR_MS <= prints["time"][-1] + 1)
    hours = totals["open_time"][heard]
    whole = (totals["long_usd"] + totals["short_usd"])[heard]
    if len(hours) == 0 or whole.sum() <= 0.0:
        return None
    place = np.searchsorted(hours, prints["time"] // HOUR_MS * HOUR_MS)
    inside = (place < len(hours)) & (hours[np.minimum(place, len(hours) - 1)] == prints["time"] // HOUR_MS * HOUR_MS)
    told = np.bincount(place[inside], (prints["price"] * prints["quantity"])[inside], len(hours))
    day = np.unique(hours // DAY_MS, return_inverse=True)[1]
    part, total = (np.bincount(day, usd).astype(np.float64) for usd in (told, whole))
    return _Capture(share(part, total), len(hours), len(part))


def _liquidated(scale: float, capture: _Capture | None) -> Iterator[Figure]:
    """What the feed captures, and the share of swept contracts that were liquidated, where both can be told apart."""
    if capture is None:
        return
    one = capture.share
    yield Figure.of(one, measure="capture", map=OpenInterest.slug, n=capture.hours, days=capture.days)
    if one.value > 0.0 and one.low > 0.0:
        of = Interval(scale / one.value, scale / one.high, scale / one.low)
        yield Figure.of(of, measure="liquidated-share", map=OpenInterest.slug, n=capture.hours, days=capture.days)


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
