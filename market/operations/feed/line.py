"""One websocket, kept open: opened anew after a loss, renewed before the venue ends it, doubted when it stalls."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from market.operations.herd import Told
from market.sources.base import SourceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from market.series import SeriesName
    from market.sources.base import Access, Channel, Heard, Part, Venue

    from .intake import Intake
    from .process import Timing

logger = logging.getLogger(__name__)

_LAGS: Final = 1000
_ERROR_LETTERS: Final = 200


class StalledError(SourceError):
    """A websocket answers pings but keeps quiet about what the venue tells elsewhere."""


@dataclass(eq=False)
class Line:
    """A channel of a venue, the instruments on it, and how it has gone so far."""

    venue: Venue
    channel: Channel
    access: Access
    ids: Mapping[str, int]
    intake: Intake
    timing: Timing
    name: str
    # Raises SourceError while the venue is to be left alone.
    ask: Callable[[], Awaitable[None]]
    connected_at: dt.datetime | None = None
    heard_at: dt.datetime | None = None
    listening_since: dt.datetime | None = None
    reconnects: int = 0
    rows: int = 0
    error: str = ""
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=_LAGS))
    newest_bars: dict[int, int] = field(default_factory=dict)
    _doubt: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def series(self) -> frozenset[SeriesName]:
        """What this line owes of its instruments."""
        return self.channel.series or self.venue.streams

    async def keep(self) -> None:
        """Listen until cancelled."""
        failures = 0
        while True:
            try:
                await self._listen_in_turns()
            except SourceError as error:
                failures = 1 if self.connected_at else failures + 1
                self._lose(error, is_first=failures == 1)
                await asyncio.sleep(self._pause(failures, error.retry_after_s))

    def doubt(self) -> None:
        """Say that the venue tells elsewhere what this line does not; it is opened anew."""
        self._doubt.set()

    def _lose(self, error: SourceError, *, is_first: bool) -> None:
        if is_first:  # what goes on failing is said once
            logger.warning("%s: %s", self.name, error)
        self.error = str(error)[:_ERROR_LETTERS]
        self.reconnects += self.connected_at is not None
        self.connected_at = self.listening_since = None

    def _pause(self, failures: int, asked_s: float | None) -> float:
        longest: float = min(self.timing.longest_pause_s, self.timing.first_pause_s * 2 ** min(failures - 1, 16))
        return max(asked_s or 0.0, float(longest) * random.uniform(0.5, 1.0))  # noqa: S311 so that lines don't return at once

    async def _listen_in_turns(self) -> None:
        """Hold one session after the other; each begins before its predecessor ends, so that nothing falls between."""
        current = asyncio.create_task(self._session(asyncio.Event()))
        doubt = asyncio.create_task(self._doubt.wait())
        try:
            while True:
                await asyncio.wait({current, doubt}, timeout=self._life(), return_when=asyncio.FIRST_COMPLETED)
                if current.done():
                    current.result()
                if doubt.done():
                    self._doubt.clear()
                    raise StalledError("the venue tells by other ways what this websocket does not")
                following = await self._renewed()
                if following is not None:
                    former, current = current, following
                    await _end(former)
        finally:
            await _end(current, doubt)

    async def _renewed(self) -> asyncio.Task[None] | None:
        """Open a second session and let it overlap with the first; None where it came to nothing."""
        is_live = asyncio.Event()
        task = asyncio.create_task(self._session(is_live))
        live = asyncio.create_task(is_live.wait())
        try:
            await asyncio.wait({task, live}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(self.timing.overlap_s)
        except asyncio.CancelledError:
            await _end(task)
            raise
        finally:
            await _end(live)
        if task.done():
            await _end(task)
            return None
        return task

    def _life(self) -> float:
        return self.timing.life_s * random.uniform(0.9, 1.0)  # noqa: S311 so that lines are not renewed all at once

    async def _session(self, is_live: asyncio.Event) -> None:
        """Listen on one websocket until it ends; raise SourceError then."""
        await self.ask()
        confirmed: set[str] = set()
        heard = self.venue.listen(self.channel, access=self.access)
        try:
            async for message in heard:
                confirmed |= message.confirmed
                if not is_live.is_set() and confirmed >= self.channel.topics:
                    is_live.set()
                    self._begin()
                await self._take(message)
        finally:
            await _close(heard)
        raise SourceError("the websocket has ended", is_outage=True)

    def _begin(self) -> None:
        now = self.timing.now()
        if self.error:
            logger.info("%s: listening again", self.name)
        self.connected_at, self.error = now, ""
        self.listening_since = self.listening_since or now

    async def _take(self, message: Heard) -> None:
        self.heard_at = self.timing.now()
        for symbol, series, part in message.parts:
            instrument_id = self.ids.get(symbol)
            if instrument_id is None:
                continue
            if series == "bars" and len(part.rows):
                self.newest_bars[instrument_id] = int(part.rows["open_time"][-1]) + part.timeframe * 1000
            told = _numbered(part) if series == "liquidations" else part
            await self.intake.put(self, Told(instrument_id, series, told, self.channel.sizes[symbol]))
        if message.faults:
            await self.intake.hold(self, message.faults)

    def note_stored(self, part: Part, now_ms: int) -> None:
        """Count rows that are committed, and how long after its end each bar was [s of wall time]."""
        self.rows += len(part.rows)
        names = part.rows.dtype.names or ()
        if part.timeframe and names[0] == "open_time":
            ends = part.rows["open_time"] + part.timeframe * 1000
            self.lags.extend(((now_ms - ends) / 1000 / self.timing.speed).tolist())

    def lag(self, share: float) -> float | None:
        """Return the lag [s of wall time] below which this share of the newest bars stayed."""
        return float(np.quantile(np.array(self.lags), share)) if self.lags else None


def _numbered(part: Part) -> Part:
    """Number equal prints of one message: each is a liquidation of its own, and comes again with the same number."""
    rows = part.rows.copy()
    seen: dict[tuple[float, ...], int] = {}
    for row in rows:
        key = (row["time"], row["position_side"], row["price"], row["quantity"])
        row["ordinal"] = seen.get(key, 0)
        seen[key] = int(row["ordinal"]) + 1
    return type(part)(rows, part.timeframe, part.covered, part.faults)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended; a cancellation meanwhile is the caller's own and goes on."""
    for task in tasks:
        task.cancel()
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        await asyncio.wait(tasks)
        raise
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SourceError):
            raise error


async def _close(heard: AsyncIterator[Heard]) -> None:
    close = getattr(heard, "aclose", None)
    if close is not None:
        await close()
