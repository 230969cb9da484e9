"""Lives on a venue's websockets while one fault is in force: what they do not bring is asked for."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from market.operations.access import access_for
from market.operations.herd import Told, store_all
from market.operations.quarantine import Doubt, hold
from market.queries import load_liquidations
from market.series import MINUTE_MS, moment
from market.sources import load_venue, stream
from market.sources.base import SourceError
from tests.campaigns.faults import COIN, START, STORED_UNTIL, World
from tests.campaigns.judging import Judge
from tests.double import truth
from tests.double.catalogue import FAULTS
from tests.double.fault_market import MarketFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.models import Instrument
    from market.sources.base import Access, Channel, Fault, Heard, Venue
    from tests.campaigns.faults import Scenario

STREAMED: Final = (
    "silent_stall", "quiet_market", "ack_missing", "disconnect_mid_batch", "liquidation_burst", "same_millisecond",
    "duplicate_row", "out_of_order", "late_row", "future_bar", "misaligned", "wrong_symbol", "open_as_closed",
    "field_missing", "field_retyped", "not_a_number", "full_width_digits", "zero_price", "negative",
)  # fmt: skip
# They end the connection: the listener must notice by itself.
ENDING: Final = frozenset({"silent_stall", "ack_missing", "disconnect_mid_batch"})
PATIENCE_S: Final = 3.0
MINUTES: Final = 2


class Ear:
    """Listens on all of a venue's websockets for one contract, and connects again when one ends."""

    def __init__(self, venue: Venue, access: Access, instrument: Instrument) -> None:
        self.venue, self.access, self.instrument = venue, access, instrument
        self.channels = venue.channels({instrument.symbol: instrument.contract_size})
        self.told: list[Told] = []
        self.faults: list[Fault] = []
        self.live: set[str] = set()
        self.ends: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._keep(channel)) for channel in self.channels]

    async def stop(self) -> None:
        """End, as a feed does."""
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        self.ends += [repr(end) for end in ends if not isinstance(end, asyncio.CancelledError)]

    @property
    def is_live(self) -> bool:
        """Whether all topics of all channels are confirmed."""
        return self.live >= {topic for channel in self.channels for topic in channel.topics}

    async def _keep(self, channel: Channel) -> None:
        while True:
            try:
                async with aclosing(self.venue.listen(channel, access=self.access)) as heard:
                    async for message in heard:
                        self._take(message)
            except SourceError as error:
                self.live -= channel.topics
                self.ends.append(str(error))
                await asyncio.sleep(0.02)

    def _take(self, message: Heard) -> None:
        self.live |= message.confirmed
        self.faults += message.faults
        for symbol, series, part in message.parts:
            if symbol == self.instrument.symbol:
                self.told.append(Told(self.instrument.pk, series, part, self.instrument.contract_size))

    def heard(self, series: str) -> set[int]:
        """Return the times of what was heard."""
        parts = [one.part.rows for one in self.told if one.series == series]
        return {int(row[0]) for rows in parts for row in rows.tolist()}


async def until(condition: Any, seconds: float = PATIENCE_S) -> bool:  # noqa: ANN401 a condition
    """Wait for a condition; tell whether it came to hold."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 a server in another thread sets no event
                await asyncio.sleep(0.005)
    return bool(condition())


@contextmanager
def hurried() -> Iterator[None]:
    """Let a silent websocket be noticed within fractions of a second, and the client of ccxt close without a rest."""
    client = import_module("ccxt.async_support.base.exchange").Exchange
    patience = mock.patch.multiple(stream, CONFIRM_S=0.3, PING_S=0.1, SILENT_S=0.35)
    with patience, mock.patch.object(client, "timeout_on_exit", 0):
        yield


class StreamWorld:
    """How the product listens in a world."""

    def __init__(self, world: World) -> None:
        self.world, self.double, self.clock = world, world.double, world.clock

    def live(self, scenario: Scenario) -> list[str]:
        """Live through a scenario; return what must not be."""
        self.double.rewind()
        instrument = self.world.instrument(scenario.slug)
        judge = Judge(self.double, instrument, "bars", STORED_UNTIL)
        self.world.ask(judge)
        venue = load_venue(scenario.slug)
        ear = Ear(venue, access_for(venue), instrument)
        with hurried():
            found = asyncio.run(self._listen(ear, scenario, judge))
        self._store(ear)
        self.double.clear()
        acknowledged = self.double.acknowledged.get((scenario.slug, instrument.symbol, "liquidations"), {})
        found += self._prints(instrument, judge, len(acknowledged), scenario)
        self.world.pass_time(seconds=601)
        self.clock.advance(minutes=self.world.until_a_turn(instrument))
        self.world.ask(judge)
        return found + judge.findings(now=self.clock.at_ms, must_hold=False, fault=scenario.fault)

    async def _listen(self, ear: Ear, scenario: Scenario, judge: Judge) -> list[str]:
        kind, options = FAULTS[scenario.fault], {"slug": scenario.slug, "seed": scenario.seed}
        fault = kind(**options, base=COIN) if issubclass(kind, MarketFault) else kind(**options)  # type: ignore[arg-type]
        found: list[str] = []
        if scenario.fault == "ack_missing":
            self.double.inject(fault)
        ear.start()
        if not await until(lambda: ear.is_live):
            found.append(f"not listening after {PATIENCE_S} s: {ear.ends}")
        if scenario.fault != "ack_missing":
            self.double.inject(fault)
        for _ in range(MINUTES):
            now = self.clock.advance(minutes=1)
            judge.look(now)
            await until(lambda now=now: self.double.has_told(now))  # type: ignore[misc]
        if scenario.fault in ENDING and not await until(lambda: bool(ear.ends)):
            found.append("the end of a websocket was not noticed")
        await until(lambda: self._has_all(ear, scenario), seconds=0.5)
        await ear.stop()
        return found

    def _has_all(self, ear: Ear, scenario: Scenario) -> bool:
        keys = [(scenario.slug, ear.instrument.symbol, series) for series in ("bars", "liquidations")]
        sent = [len([key for key in self.double.acknowledged.get(key, {}) if self._is_new(key)]) for key in keys]
        return sent[0] <= len(ear.heard("bars")) and sent[1] <= len(
            [row for one in ear.told if one.series == "liquidations" for row in one.part.rows]
        )

    @staticmethod
    def _is_new(key: Any) -> bool:  # noqa: ANN401 a time or a tuple that begins with one
        return int(key[0] if isinstance(key, tuple) else key) >= START - START % MINUTE_MS

    def _store(self, ear: Ear) -> None:
        store_all(told=ear.told, now=moment(self.clock.at_ms))
        doubts = [Doubt(fault.raw, fault.reason) for fault in ear.faults]
        hold(instrument=None, series="stream", origin=f"{ear.venue.slug} stream", doubts=doubts)

    def _prints(self, instrument: Instrument, judge: Judge, sent: int, scenario: Scenario) -> list[str]:
        rows = load_liquidations(
            instrument_id=instrument.pk, since=moment(START - 60_000), until=moment(self.clock.at_ms)
        )
        sides = {"LONG": 1, "SHORT": -1}
        known = {
            (one.time, sides[one.position_side], round(one.price, 8), round(one.quantity, 8))
            for one in truth.liquidations(judge.listing, since=START - 60_000, until=self.clock.at_ms)
        }
        have = {(int(row[0]), int(row[1]), round(float(row[2]), 8), round(float(row[3]), 8)) for row in rows.tolist()}
        found = [f"liquidations: invented {row}" for row in sorted(have - known)]
        # A cut throws away what was on its way.
        if len(have) < sent and scenario.fault not in ENDING:
            found.append(f"liquidations: {sent} were sent, {len(have)} are stored")
        return found
