"""The simulated market behind the face of any other source. It needs no network and shows nothing real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import BAR, DAY_MS, FUNDING, HOUR_MS, LIQUIDATION, MINUTE_MS, OPEN_INTEREST
from market.sources.base import InstrumentFacts, SourceError
from market.sources.batch import Batch

from .checkpoint import pack, unpack
from .genesis import begin
from .motion import settle_funding
from .world import WORLDS

if TYPE_CHECKING:
    from .market import Market, Minute

INTEREST_MS: Final = 5 * MINUTE_MS
FUNDING_MS: Final = 8 * HOUR_MS
CHECKPOINT_MS: Final = 6 * HOUR_MS


class _Tape:
    """Collects what the market reports, and drops what was before ``since_ms``."""

    def __init__(self, market: Market, since_ms: int) -> None:
        self.market = market
        self.since_ms = since_ms
        self.bars: list[tuple[float, ...]] = []
        self.open_interest: list[tuple[float, ...]] = []
        self.funding: list[tuple[float, ...]] = []
        self.liquidations: list[tuple[float, ...]] = []
        self.checkpoints: list[tuple[int, bytes]] = []

    def record(self, minute: Minute, bar: tuple[float, ...]) -> None:
        """Write down one minute; samples are taken at its end."""
        now_ms = self.market.now_ms
        rate = settle_funding(self.market.state) if now_ms % FUNDING_MS == 0 else None
        if now_ms % CHECKPOINT_MS == 0:
            self.checkpoint()
        if minute.open_time < self.since_ms:
            return
        self.bars.append(bar)
        if rate is not None:
            self.funding.append((now_ms, rate, FUNDING_MS / 1000))
        if now_ms % INTEREST_MS == 0:
            self._sample_interest(now_ms)
        if minute.prints:
            self._print(minute)

    def _sample_interest(self, now_ms: int) -> None:
        world = self.market.world
        contracts = self.market.book.total[0] / world.lots_per_unit
        mark = self.market.state.close / world.ticks_per_unit
        self.open_interest.append((now_ms, contracts, contracts * mark, mark))

    def _print(self, minute: Minute) -> None:
        world = self.market.world
        self.liquidations.extend(
            (time, side, ticks / world.ticks_per_unit, lots / world.lots_per_unit, 0)
            for time, side, ticks, lots in minute.prints
        )

    def checkpoint(self) -> None:
        """Keep the market as it is now, once."""
        if not self.checkpoints or self.checkpoints[-1][0] != self.market.now_ms:
            self.checkpoints.append((self.market.now_ms, pack(self.market)))

    def batch(self) -> Batch:
        """Return all that was recorded."""
        return Batch(
            bars=np.array(self.bars, BAR),
            open_interest=np.array(self.open_interest, OPEN_INTEREST),
            funding=np.array(self.funding, FUNDING),
            liquidations=np.array(self.liquidations, LIQUIDATION),
            timeframe=MINUTE_MS // 1000,
            checkpoints=tuple(self.checkpoints),
        )


class SimulatedMarket:
    """A source that is made up: traders with known positions, and the same path whenever it begins."""

    slug = "simulated"
    is_simulated = True
    history_ms = 14 * DAY_MS

    def instruments(self) -> tuple[InstrumentFacts, ...]:
        """List the simulated contracts."""
        return tuple(world.facts for world in WORLDS.values())

    def fetch(self, *, symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None) -> Batch:
        """Go on from the checkpoint, or begin a market at the first minute from ``since_ms`` on.

        A market does not run backwards: with a checkpoint after ``since_ms`` the batch begins at the checkpoint.
        Raises SourceError.
        """
        if symbol not in WORLDS:
            raise SourceError(f"The simulated market has no instrument {symbol!r}.", permanent=True)
        if checkpoint is None:
            market = begin(world=WORLDS[symbol], start_ms=-(-since_ms // MINUTE_MS) * MINUTE_MS)
        else:
            market = _resume(symbol, *checkpoint)
        tape, start_ms = _Tape(market, since_ms), market.now_ms
        while market.now_ms + MINUTE_MS <= until_ms:
            tape.record(*market.step())
        if market.now_ms > start_ms:
            tape.checkpoint()
        return tape.batch()


def _resume(symbol: str, as_of_ms: int, body: bytes) -> Market:
    market = unpack(body)
    found = (market.world.facts.symbol, market.now_ms)
    if found != (symbol, as_of_ms):
        raise SourceError(
            f"The simulated market's checkpoint is of {found[0]} at {found[1]} ms, not of {symbol} at {as_of_ms} ms.",
            permanent=True,
        )
    return market


SOURCE: Final = SimulatedMarket()
