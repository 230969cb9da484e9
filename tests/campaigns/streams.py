"""Lives on a venue's websockets while one fault is in force: what they do not bring is asked for."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final
from unittest import mock

from market.operations.access import access_for
from market.operations.herd import Told, store_all
from market.operations.quarantine import Doubt, hold
from market.queries import load_liquidations
from market.series import moment
from market.sources import load_venue, stream
from market.sources.base import SourceError
from tests.campaigns.faults import COIN, LONGEST_PAUSE_S, START, STORED_UNTIL, World
from tests.campaigns.judging import Judge
from tests.double import truth
from tests.double.catalogue import FAULTS
from tests.double.fault_market import MarketFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from market.models import Instrument
    from market.sources.base import Access, Fault, Heard, Venue
    from tests.campaigns.faults import Scenario
    from tests.double.faults import Fault as AnyFault

STREAMED: Final = (
    "silent_stall", "quiet_market", "ack_missing", "disconnect_mid_batch", "liquidation_burst", "same_millisecond",
    "duplicate_row", "out_of_order", "late_row", "future_bar", "misaligned", "wrong_symbol", "open_as_closed",
    "field_missing", "field_retyped", "not_a_number", "full_width_digits", "zero_price", "negative",
)  # fmt: skip
# They end the connection: the listener must notice by itself.
ENDING: Final = frozenset({"silent_stall", "ack_missing", "disconnect_mid_batch"})
PATIENCE_S: Final = 30.0  # of the wall's; nothing is decided by it, but that a campaign ends
MINUTES: Final = 2
PAUSE_S: Final = 0.002
LEAP_S, LEAPS = 5.0, 20  # by which even a silent websocket is noticed


class Ear:
    """Listens on all of a venue's websockets for one contract, and connects again when one ends.

    taken: how many messages of each channel's open connection were heard.
    """

    def __init__(self, venue: Venue, access: Access, instrument: Instrument) -> None:
        self.venue, self.access, self.instrument = venue, access, instrument
        self.channels = venue.channels({instrument.symbol: instrument.contract_size})
        self.told: list[Told] = []
        self.faults: list[Fault] = []
        self.live: set[str] = set()
        self.ends: list[str] = []
        self.taken = [0] * len(self.channels)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._keep(number)) for number in range(len(self.channels))]

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

    async def _keep(self, number: int) -> None:
        channel = self.channels[number]
        while True:
            self.taken[number] = 0
            try:
                async with aclosing(self.venue.listen(channel, access=self.access)) as heard:
                    async for message in heard:
                        self._take(message)
                        self.taken[number] += 1
            except SourceError as error:
                self.live -= channel.topics
                self.ends.append(str(error))
                await asyncio.sleep(PAUSE_S)

    def _take(self, message: Heard) -> None:
        self.live |= message.confirmed
        self.faults += message.faults
        for symbol, series, part in message.parts:
            if symbol == self.instrument.symbol:
                self.told.append(Told(self.instrument.pk, series, part, self.instrument.contract_size))


class Time:
    """The time of the running event loop, which a campaign lets leap: nothing that waits for it is waited for."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._wall, self._ahead = loop.time, 0.0
        loop.time = lambda: self._wall() + self._ahead  # type: ignore[method-assign]

    async def leap_until(self, condition: Callable[[], bool]) -> bool:
        """Leap on until a condition holds, but not for ever; tell whether it does."""
        for _ in range(LEAPS):
            if condition():
                break
            self._ahead += LEAP_S
            await asyncio.sleep(PAUSE_S)
        return condition()

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Wait for what needs no time but the machine's; tell whether it came to hold."""
        latest = self._wall() + PATIENCE_S
        while not condition() and self._wall() < latest:  # noqa: ASYNC110 a server in another thread sets no event
            await asyncio.sleep(PAUSE_S)
        return condition()


@contextmanager
def unresting(fault: str) -> Iterator[None]:
    """Let the client of ccxt close without a rest; where a topic is not confirmed, let silence be no other sign."""
    client = import_module("ccxt.async_support.base.exchange").Exchange
    silent_s = math.inf if fault == "ack_missing" else stream.SILENT_S
    with mock.patch.object(stream, "SILENT_S", silent_s), mock.patch.object(client, "timeout_on_exit", 0):
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
        with unresting(scenario.fault):
            found = asyncio.run(self._listen(ear, scenario, judge))
        self._store(ear)
        self.double.clear()
        acknowledged = self.double.acknowledged.get((scenario.slug, instrument.symbol, "liquidations"), {})
        found += self._prints(instrument, judge, len(acknowledged), scenario)
        self.world.pass_time(seconds=LONGEST_PAUSE_S)
        self.clock.advance(minutes=self.world.until_a_turn(instrument))
        self.world.ask(judge)
        return found + judge.findings(now=self.clock.at_ms, must_hold=False, fault=scenario.fault)

    async def _listen(self, ear: Ear, scenario: Scenario, judge: Judge) -> list[str]:
        kind, options = FAULTS[scenario.fault], {"slug": scenario.slug, "seed": scenario.seed}
        fault = kind(**options, base=COIN) if issubclass(kind, MarketFault) else kind(**options)  # type: ignore[arg-type]
        try:
            said = await self._hear(ear, scenario, fault, judge)
        finally:
            self.world.note(scenario, fault)
            await ear.stop()
        return [said] if said else []

    async def _hear(self, ear: Ear, scenario: Scenario, fault: AnyFault, judge: Judge) -> str:
        """Listen for some minutes; return what must not be."""
        time = Time()
        if scenario.fault == "ack_missing":
            self.double.inject(fault)
            ear.start()
            if not (await time.until(lambda: fault.happened > 0) and await time.leap_until(lambda: bool(ear.ends))):
                return "nobody minded that a topic was not confirmed"
        else:
            ear.start()
        if not await time.until(lambda: ear.is_live):
            return f"not listening: {ear.ends}"
        if scenario.fault != "ack_missing":
            self.double.inject(fault)
        for _ in range(MINUTES):
            judge.look(self.clock.advance(minutes=1))
            if not await time.until(lambda: self._has_heard(ear)):
                return f"of {self.double.handed(scenario.slug)} messages {ear.taken} were heard"
        if scenario.fault in ENDING and not await time.leap_until(lambda: bool(ear.ends)):
            return "the end of a websocket was not noticed"
        self.double.clear()
        if scenario.fault == "silent_stall":
            self.double.drop_connections(scenario.slug)  # those that were opened in silence
        return "" if await time.until(lambda: ear.is_live) else f"not listening again: {ear.ends}"

    def _has_heard(self, ear: Ear) -> bool:
        """Tell whether all that has happened was told, and all that was told was heard."""
        is_told = self.double.has_told(self.clock.at_ms)
        return is_told and sorted(self.double.handed(ear.venue.slug)) == sorted(ear.taken)

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
