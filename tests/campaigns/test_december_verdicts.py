"""Seeded plans across December on four real instruments: judged piece by piece, and in one catch-up, alike."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from journal.verdict import Confirmation, Event, Kind, Rule, Target, Terms, judge, start
from market.series import BAR, epoch_ms
from risk.formulas import Costs
from tests.history import HISTORY, needs_history

if TYPE_CHECKING:
    import numpy.typing as npt

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
STEP_MS: Final = 300_000
RULES: Final = (Rule.SWEEP_RECLAIM, Rule.RECLAIM, Rule.CLOSE_BEYOND)
FIRST, LAST = (epoch_ms(dt.datetime(2025, 12, day, tzinfo=dt.UTC)) for day in (1, 28))
IS_CAMPAIGN: Final = bool(os.environ.get("BH_CAMPAIGNS"))
# 500 plans bar by bar, or some of them in pieces of up to an hour.
PLANS_EACH, LONGEST_PIECE = (125, 1) if IS_CAMPAIGN else (10, 12)


def december(symbol: str) -> npt.NDArray[np.void]:
    with gzip.open(HISTORY / f"{symbol}-candles-5m.csv.gz", "rt") as file:
        rows = [
            (at, *(float(row[name]) for name in ("open", "high", "low", "close")))
            for row in csv.DictReader(file)
            if (at := int(row["open_time_ms"])) >= FIRST
        ]
    bars = np.zeros(len(rows), BAR)
    for i, name in enumerate(("open_time", "open", "high", "low", "close")):
        bars[name] = [row[i] for row in rows]
    return bars


def make_plan(generator: np.random.Generator, bars: npt.NDArray[np.void]) -> Terms:
    """A plan of any kind, armed at a seeded moment of December, its levels .2 to 3 % away."""
    armed_ms = int(generator.integers(FIRST, LAST))
    last = float(bars["close"][np.searchsorted(bars["open_time"], armed_ms) - 1])
    side, kind = int(generator.choice([1, -1])), Kind(generator.choice([one.value for one in Kind]))
    away, risk, reward = (float(x) for x in generator.uniform([0.001, 0.002, 0.003], [0.008, 0.02, 0.02]))
    reward += away  # beyond the last price, or it would be missed at once
    entry = last * (1 + side * away * (1 if kind is Kind.STOP else -1))

    def price(value: float) -> Decimal:
        return Decimal(repr(float(f"{value:.6g}")))

    level = price(entry * (1 - side * risk / 2))
    rule = Confirmation(RULES[generator.integers(len(RULES))], 900_000, level)
    return Terms(
        side=1 if side > 0 else -1, kind=kind, entry=price(entry), stop=price(entry * (1 - side * risk)),
        targets=tuple(Target(price(entry * (1 + side * reward * i)), Decimal("0.5")) for i in (1, 2)),
        tick=price(last * 1e-5), armed_ms=armed_ms, expires_ms=armed_ms + 2 * 86_400_000,
        time_stop_ms=86_400_000, costs=Costs(Decimal("0.0002"), Decimal("0.0005"), Decimal("0.0002")),
        breakeven=bool(generator.integers(2)), trail=price(entry * risk) if generator.integers(2) else None,
        confirmation=rule if kind is Kind.CONFIRMED or generator.integers(3) == 0 else None,
    )  # fmt: skip


@needs_history
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_december_piece_by_piece_is_december_at_once(symbol: str) -> None:
    bars, generator = december(symbol), np.random.default_rng(SYMBOLS.index(symbol))
    phases: set[str] = set()
    for _ in range(PLANS_EACH):
        plan = make_plan(generator, bars)
        at_once = judge(plan, start(plan), bars, step_ms=STEP_MS)
        state, events = start(plan), list[Event]()
        place = int(np.searchsorted(bars["open_time"], plan.armed_ms - STEP_MS))
        while place < len(bars) and not state.is_done:
            until = place + int(generator.integers(1, LONGEST_PIECE + 1))
            judged = judge(plan, state, bars[place:until], step_ms=STEP_MS)
            state, place = judged.state, until
            events += judged.events
        assert (tuple(events), state) == (at_once.events, at_once.state)
        phases |= {branch.phase.value for branch in state.branches}
    assert phases >= {"closed"}
