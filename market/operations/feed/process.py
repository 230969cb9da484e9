"""The feed's loop: which lines there are, when what they heard is written, and how it all ends."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from django.db import DatabaseError, InterfaceError

from market.operations.access import access_for
from market.operations.resizing import counted_series
from market.sources.base import SourceError

from . import keeping
from .intake import Intake
from .line import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.models import Instrument
    from market.sources.base import Venue

    from .intake import Item

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
# Symbols with ids and contract sizes.
_Wanted: TypeAlias = frozenset[tuple[str, int, float]]


@dataclass(frozen=True, slots=True)
class Timing:
    """The feed's clock and its patience, all in seconds of wall time but for ``now``, which may run at ``speed``."""

    now: Callable[[], dt.datetime]
    speed: float = 1.0
    flush_s: float = 0.25
    describe_s: float = 5.0
    rescan_s: float = 15.0
    # So often a feed that has lost the database asks whether it may go on.
    again_s: float = 1.0
    # So often the venues' lists are read: terms that change, contracts that end. Sooner where one did not answer.
    sync_s: float = 6 * 3600.0
    sync_again_s: float = 600.0
    # So often those are read on whose contract sizes rows hang.
    sizes_s: float = 60.0
    # The venues end a websocket after a day; two overlap before that.
    life_s: float = 22 * 3600.0
    overlap_s: float = 5.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    # A connection that has died without a word is noticed by its pings within this.
    silence_s: float = 15.0
    # Venues tell liquidations once a second or so: what broke off may have lacked the ones of this long before.
    telling_s: float = 3.0


async def run_feed(*, timing: Timing, stop: asyncio.Event) -> None:
    """Listen until ``stop``; then write what was heard and return. One feed at a time: a second one stands by."""
    feed = Feed(timing)
    try:
        await feed.run(stop)
    finally:
        await feed.close()


@dataclass
class Feed:
    """All lines, their intake and the one thread that speaks to the database."""

    timing: Timing
    intake: Intake = field(default_factory=Intake)
    lines: dict[Line, asyncio.Task[None]] = field(default_factory=dict)
    # What the lines were made for, by venue.
    _made_for: dict[str, _Wanted] = field(default_factory=dict)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "feed-database"))
    _is_leader: bool = False
    _is_away: bool = False
    _has_lost_lead: bool = False
    # A list has changed what the lines were made for.
    _is_outdated: bool = False
    _syncing: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is due until told to stop."""
        loop = asyncio.get_running_loop()
        describe_at, rescanned_at = loop.time(), loop.time() - self.timing.rescan_s
        while not stop.is_set():
            pause_s = self.timing.again_s if self._has_lost_lead else self.timing.rescan_s
            if self._is_outdated or loop.time() >= rescanned_at + pause_s:
                rescanned_at, self._is_outdated = loop.time(), False
                await self._rescan()
                if self._is_leader and self._syncing is None:
                    self._syncing = asyncio.create_task(self._sync())
            await self._flush()
            if loop.time() >= describe_at:
                describe_at = loop.time() + self.timing.describe_s
                await self._look_after()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), self.timing.flush_s)

    async def close(self) -> None:
        """Stop listening, then write what was heard: what a venue's line has taken is not lost."""
        if self._syncing is not None:
            self._syncing.cancel()
        await self._end_lines(list(self.lines))
        await self._flush()
        await self._in_thread(keeping.end_session)
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments))

    async def _try(self, work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 what the work returns
        """Do database work; None while the database is away, which is said once."""
        try:
            answer = await self._in_thread(work, *arguments)
        except (DatabaseError, InterfaceError) as error:
            if not self._is_away:
                logger.warning("the database is away, what is heard waits: %s", error)
            self._has_lost_lead |= self._is_leader
            self._is_away, self._is_leader = True, False
            with suppress(DatabaseError, InterfaceError):
                await self._in_thread(keeping.end_session)
            return None
        self._is_away = False
        return answer

    async def _ask(self, venue: str) -> None:
        """Raise SourceError while a venue is to be left alone, and while nobody can tell."""
        try:
            await self._in_thread(keeping.ask, venue)
        except (DatabaseError, InterfaceError) as error:
            raise SourceError("the database is away", retry_after_s=self.timing.first_pause_s) from error

    async def _rescan(self) -> None:
        """Open lines for what is to be followed, close those for what no longer is."""
        if not self._is_leader:
            leads = await self._try(keeping.lead)
            self._is_leader, self._has_lost_lead = bool(leads), self._has_lost_lead and leads is None
            if leads is False:  # another feed took over while the database was away
                self._made_for = {}
                await self._end_lines(list(self.lines))
        chosen = await self._try(keeping.followed) if self._is_leader else None
        if chosen is None:
            return
        wanted = {venue.slug: _wants(instruments) for venue, instruments in chosen}
        gone = [line for line in self.lines if wanted.get(line.venue.slug) != self._made_for.get(line.venue.slug)]
        before, self._made_for = self._made_for, wanted
        for venue, instruments in chosen:
            if wanted[venue.slug] != before.get(venue.slug):
                await self._open(venue, instruments)
        await self._end_lines(gone)

    async def _sync(self) -> None:
        """Read the lists of the venues that are followed, in a thread that may wait for them."""
        loop = asyncio.get_running_loop()
        all_at = loop.time()
        while True:
            is_all = loop.time() >= all_at
            slugs = sorted(slug for slug in self._made_for if is_all or counted_series(slug))
            if slugs and self._is_leader:
                read = partial(keeping.sync, slugs, self.timing.now(), with_brackets=is_all)
                lists = await asyncio.to_thread(read)
                self._is_outdated |= lists.has_changed
                if is_all:
                    all_at = loop.time() + (self.timing.sync_s if lists.is_settled else self.timing.sync_again_s)
            await asyncio.sleep(self.timing.sizes_s)

    async def _open(self, venue: Venue, instruments: list[Instrument]) -> None:
        access = await self._in_thread(access_for, venue)
        ids = {one.symbol: one.pk for one in instruments}
        try:
            channels = venue.channels({one.symbol: one.contract_size for one in instruments})
        except SourceError as error:
            logger.warning("%s can not be listened to: %s", venue.slug, error)
            return
        for number, channel in enumerate(channels, start=1):
            on_it = {symbol: pk for symbol, pk in ids.items() if symbol in channel.sizes}
            ask = partial(self._ask, venue.slug)
            line = Line(venue, channel, access, on_it, self.intake, self.timing, f"{venue.slug} {number}", ask)
            self.lines[line] = asyncio.create_task(line.keep())

    async def _note_listening(self, lines: list[Line]) -> None:
        """Extend the ledger of liquidations to when each line surely listened; a silent loss shows late."""
        speed = self.timing.speed
        surely = self.timing.now() - dt.timedelta(seconds=self.timing.silence_s * speed)
        telling = dt.timedelta(seconds=self.timing.telling_s * speed)
        for line in lines:
            if line.listening_since and "liquidations" in line.series:
                until = max(surely, line.heard_at - telling) if line.heard_at else surely
                await self._try(keeping.note_listening, list(line.ids.values()), line.listening_since, until)

    async def _end_lines(self, lines: list[Line]) -> None:
        if self._is_leader:
            await self._note_listening(lines)
        tasks = [self.lines.pop(line) for line in lines]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _flush(self) -> None:
        """Write what was heard; what could not be written stays first in line."""
        items = await self.intake.take()
        if not items:
            return
        left: list[Item] | None = await self._try(keeping.write, items, self.timing.now())
        await self.intake.done(items if left is None else left)

    async def _look_after(self) -> None:
        """Describe the lines, keep the ledger of listening, doubt lines that have stalled, restart what broke."""
        now = self.timing.now()
        lines = list(self.lines)
        if not self._is_leader:
            return
        await self._try(keeping.describe, lines, now)
        await self._note_listening(lines)
        for line in await self._try(keeping.find_stalled, lines) or ():
            line.doubt()
        for line, task in list(self.lines.items()):
            if task.done():
                logger.error("%s broke", line.name, exc_info=task.exception())
                self.lines[line] = asyncio.create_task(line.keep())


def _wants(instruments: list[Instrument]) -> _Wanted:
    return frozenset((one.symbol, one.pk, one.contract_size) for one in instruments)
