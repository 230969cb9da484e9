"""Answers about many trades: what a record yields, how deep it may fall, how long losing may last."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from risk import formulas
from risk.pages.explaining import Explanation, Figure, Step, draw_bars
from risk.pages.words import number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWS: Final = 400_000
_MOST_PATHS: Final = 4_000
_LEAST_PATHS: Final = 500
_STREAKS: Final = (3, 4, 5, 6, 7, 8, 10, 12, 15)
_DRAWDOWNS: Final = ("0.05", "0.1", "0.2", "0.3", "0.4", "0.5", "0.75")


def explain_record(*, results: Sequence[Decimal]) -> Explanation:
    """Explain what results in R yield, with the interval; a fraction of Kelly only where there are enough."""
    found = formulas.expectancy_of(results)
    interval = "one result has no interval"
    if found.low is not None and found.high is not None:
        interval = f"95 %: {number(found.low, 3)} to {number(found.high, 3)} R, n = {found.count}"
    figures = [
        Figure("expectancy", "Expectancy", found.mean, f"{number(found.mean, 3)} R per trade", interval),
        Figure("sqn", "SQN", found.sqn, "—" if found.sqn is None else number(found.sqn, 2), "√min(n, 100) · mean / sd"),
    ]
    steps = [Step("mean = Σ R / n", f"{number(sum(results, Decimal(0)))} / {found.count} = {number(found.mean, 4)}")]
    if found.error is not None:
        steps.append(
            Step(
                "interval = mean ± 1.96 · sd / √n",
                f"{number(found.mean, 3)} ± {number(Decimal('1.96') * found.error, 3)}",
            )
        )
    warnings = _kelly(figures, steps, results, found)
    notes = [
        "Trades are taken as independent and alike. A change of market or of method breaks that.",
        "Kelly's fraction is of equity at risk. It hangs on the expectancy, so a quarter of it is shown.",
    ]
    bars = draw_bars([(label, f"{count}", count) for label, count in _histogram(results)])
    return Explanation(figures, steps, warnings, notes, bars=bars, bars_title="Results by R")


def _kelly(
    figures: list[Figure], steps: list[Step], results: Sequence[Decimal], found: formulas.Expectancy
) -> list[str]:
    if found.count < formulas.LEAST_RESULTS or found.low is None:
        return [f"No Kelly fraction from fewer than {formulas.LEAST_RESULTS} results: the interval is too wide."]
    if min(results) >= 0:
        return ["No Kelly fraction without a single loss: any size would look right."]
    full = formulas.kelly_of(results)
    careful = formulas.kelly_of([result - (found.mean - found.low) for result in results])
    quarter = careful / 4
    figures += [
        Figure("kelly", "Kelly's fraction from the mean", full, percent(full, 1), "an upper limit, not a size"),
        Figure(
            "quarter",
            "A quarter of Kelly, lower end of the interval",
            quarter,
            percent(quarter, 2),
            f"at risk per trade; keeps {percent(formulas.growth_share(Decimal('0.25')), 0)} of Kelly's growth",
        ),
    ]
    steps.append(
        Step(
            "Kelly: the f that maximises mean ln(1 + f R)",
            f"{percent(full, 2)}; with R lowered to the lower end {percent(careful, 2)}",
        )
    )
    return [] if careful > 0 else ["The lower end of the interval is not above 0: an edge is not shown."]


def _histogram(results: Sequence[Decimal]) -> list[tuple[str, int]]:
    edges = [-2, -1, 0, 1, 2, 3]
    rows = [(f"below {number(Decimal(edges[0]))}", sum(r < edges[0] for r in results))]
    for low, high in pairwise(edges):
        rows.append((f"{number(Decimal(low))} to {number(Decimal(high))}", sum(low <= r < high for r in results)))
    return [*rows, (f"{edges[-1]} and more", sum(r >= edges[-1] for r in results))]


def explain_ruin(  # noqa: PLR0913  # a simulation has this many terms, each by name
    *, win_rate: Decimal, payoff: Decimal, risk_share: Decimal, drawdown: Decimal, trades: int, seed: int
) -> Explanation:
    """Explain how often an account falls by ``drawdown`` when it risks a fixed share of equity each time."""
    odds = {"results": [float(payoff), -1.0], "weights": [float(win_rate), float(1 - win_rate)]}
    terms = {**odds, "fraction": float(risk_share), "drawdown": float(drawdown)}
    paths = max(_LEAST_PATHS, min(_MOST_PATHS, _DRAWS // trades))
    found = formulas.simulate_ruin(trades=trades, paths=paths, generator=np.random.default_rng(seed), **terms)  # type: ignore[arg-type]  # the same terms for both
    bound = formulas.drawdown_bound(**terms)  # type: ignore[arg-type]  # the same terms for both
    edge = formulas.expectancy(win_rate=win_rate, win=payoff, loss=Decimal(1))
    interval = f"95 %: {percent(found.low, 1)} to {percent(found.high, 1)} by simulation"
    label = f"Chance of falling {percent(drawdown, 0)} below the start"
    figures = [
        Figure("chance", label, Decimal(repr(found.chance)), percent(found.chance, 1), interval),
        Figure("bound", "Closed form, for ever", Decimal(repr(bound)), percent(bound, 2), "an upper bound (Lundberg)"),
        Figure("expectancy", "Expectancy assumed", edge, f"{number(edge, 3)} R per trade"),
        Figure("median", "Middle account", Decimal(repr(found.quantiles[2])), percent(found.quantiles[2] - 1, 1)),
    ]
    names = ("5 % end below", "25 % end below", "half end below", "75 % end below", "95 % end below")
    bars = draw_bars([(name, percent(end - 1, 1), end) for name, end in zip(names, found.quantiles, strict=True)])
    steps = [
        Step("each trade multiplies equity by 1 + f R", f"f = {percent(risk_share)}, R = +{number(payoff)} or −1"),
        Step("simulated accounts", f"{number(Decimal(paths))} of {trades} trades each, seed {seed}"),
        Step("θ > 0 with mean (1 + f R)^−θ = 1;  bound = (1 − d)^θ", percent(bound, 3)),
    ]
    warnings = [] if edge > 0 else ["The expectancy is not above 0: falling is only a matter of time."]
    notes = [
        "Trades are drawn independently. Real losses come in streaks and can exceed 1 R: the true chance is higher."
    ]
    return Explanation(figures, steps, warnings, notes, bars=bars, bars_title="Where accounts end")


def explain_drawdown(*, drawdown: Decimal, losing_rate: Decimal, trades: int) -> Explanation:
    """Explain what a drawdown takes to recover from, and how long a losing streak is to be expected."""
    needed = formulas.recovery(drawdown=drawdown)
    longest = formulas.expected_longest(losing_rate=losing_rate, trades=trades)
    streaks = [
        (length, formulas.chance_of_streak(losing_rate=losing_rate, length=length, trades=trades))
        for length in _STREAKS
        if length <= trades
    ]
    figures = [
        Figure("recovery", f"Gain that makes up for {percent(drawdown, 0)}", needed, percent(needed, 1)),
        Figure(
            "longest",
            "Longest losing streak to be expected",
            longest,
            f"{number(longest, 1)} losses",
            f"in {trades} trades",
        ),
    ]
    figures += [
        Figure(f"streak_{length}", f"{length} losses or more in a row", chance, percent(chance, 1))
        for length, chance in streaks
    ]
    steps = [
        Step("gain = 1 / (1 − d) − 1", f"1 / (1 − {percent(drawdown, 0)}) − 1 = {percent(needed, 1)}"),
        Step("a_i = a_(i−1) + (1 − a_(i−k−1)) (1 − q) q^k", f"q = {percent(losing_rate, 1)}, n = {trades}"),
    ]
    table = [
        (
            f"{percent(Decimal(d), 0)}",
            percent(formulas.recovery(drawdown=Decimal(d)), 1),
            float(formulas.recovery(drawdown=Decimal(d))),
        )
        for d in _DRAWDOWNS
    ]
    notes = ["Trades are taken as independent. Streaks of a method that follows the market are longer."]
    return Explanation(figures, steps, [], notes, bars=draw_bars(table), bars_title="Gain needed after a drawdown")
