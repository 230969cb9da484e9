"""A window of bars and open interest, cut into the steps on which the inventory moves.

A step ends where open interest was sampled, on the five-minute grid of the epoch. Where a sample is missing the step
grows until the next one: nothing is interpolated, so nothing is opened that was not reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import STEP_MS, Window

from .entries import bar_masses, step_masses
from .flags import Flag
from .grid import Floats, Ints, bin_coordinate
from .sweeps import Sweeps, by_last_price, by_mark_price
from .tilts import NO_TILT, Tilt

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records

    Bits = npt.NDArray[np.uint16]

# A sample up to this late still describes the end of the step before it [ms]: venues stamp some seconds after.
LATE_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What an estimator reads into a step beside bars and open interest."""

    by_mark_price: bool = False
    tilt: Tilt = NO_TILT

    @property
    def reads(self) -> frozenset[str]:
        """The series that it asks for beside bars and open interest."""
        return self.tilt.reads | ({"mark_bars"} if self.by_mark_price else set())


LAST_PRICE: Final = Reading()


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in time order, all arrays [step] unless said otherwise.

    end_ms: right edge [ms]; low, high, close [quote per base]; volume, open_interest [contracts]; typical: no volume
    weighted price was reported for some bar; first_bin: where the entry histogram starts; pointer: int64[step + 1]
    into ``masses``; digests: SHA-256 over all input so far; sweeps: how far liquidations reached; tilt: of the sides'
    leverage; flags, gap: bits of ``flags.Flag`` of the step, and of why there is no column right before it.
    """

    end_ms: Ints
    low: Floats
    high: Floats
    close: Floats
    volume: Floats
    open_interest: Floats
    typical: npt.NDArray[np.bool_]
    first_bin: Ints
    pointer: Ints
    masses: Floats
    digests: tuple[bytes, ...]
    sweeps: Sweeps
    tilt: Floats
    flags: Bits
    gap: Bits

    def __len__(self) -> int:
        return len(self.end_ms)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where steps end and the open interest there: end_ms int64[n] ascending, open_interest float64[n].

    disbelieved_ms: the ends of slots whose samples were refused.
    """

    end_ms: Ints
    open_interest: Floats
    disbelieved_ms: Ints = field(default_factory=lambda: np.empty(0, np.int64))


def sampled_ends(window: Window) -> Ends:
    """The ends at which open interest is known and every bar has arrived; the last sample of a slot counts."""
    rows = window.open_interest[window.open_interest["open_interest"] > 0.0]
    if len(rows) == 0 or len(window.bars) == 0:
        return Ends(np.empty(0, np.int64), np.empty(0))
    slot = -((LATE_MS - rows["time"]) // STEP_MS) * STEP_MS
    last = np.flatnonzero(np.diff(slot, append=slot[-1] + STEP_MS))
    arrived = int((window.bars["open_time"] + window.bar_ms).max())
    last = last[slot[last] <= arrived]
    return Ends(slot[last].astype(np.int64), rows["open_interest"][last])


def bar_ends(window: Window, *, open_interest: float, is_open_included: bool) -> Ends:
    """Every slot that has bars, under one constant open interest; the unfinished slot only where asked for."""
    if len(window.bars) == 0:
        return Ends(np.empty(0, np.int64), np.empty(0))
    slots = np.unique(window.bars["open_time"] // STEP_MS * STEP_MS + STEP_MS)
    if not is_open_included:
        slots = slots[slots <= int((window.bars["open_time"] + window.bar_ms).max())]
    return Ends(slots.astype(np.int64), np.full(len(slots), open_interest))


def cut_steps(  # noqa: PLR0913 -- a window and where to cut it
    window: Window,
    ends: Ends,
    *,
    width: float,
    through_ms: int | None,
    digest: bytes,
    reading: Reading = LAST_PRICE,
) -> Steps:
    """Cut a window at ``ends``; bars before ``through_ms`` and after the last end are left out.

    Without ``through_ms`` (no state yet) the first step is only the slot that its sample ends: the time before is
    unknown, not long. An end without a bar makes no step.
    """
    if len(ends.end_ms) == 0:
        return _no_steps()
    since = int(ends.end_ms[0]) - STEP_MS if through_ms is None else through_ms
    slot = window.bars["open_time"] // STEP_MS * STEP_MS + STEP_MS
    inside = (slot > since) & (slot <= ends.end_ms[-1])
    bars, slots = window.bars[inside], np.unique(slot[inside])
    if len(bars) == 0:
        return _no_steps()
    used, step = np.unique(np.searchsorted(ends.end_ms, slot[inside]), return_inverse=True)
    cut = replace(ends, end_ms=ends.end_ms[used], open_interest=ends.open_interest[used])
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    return _build(_Cut(window, bars, slots, starts, step, cut, since), width, digest, reading)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Bars [bar] with the step of each, the slots that have any, the first bar of each step, and where steps end."""

    window: Window
    bars: Records
    slots: Ints
    starts: Ints
    step: Ints
    ends: Ends
    since_ms: int

    @property
    def before(self) -> Ints:
        """The end of what came before each step [ms]."""
        return np.append(self.since_ms, self.ends.end_ms[:-1])


def _build(cut: _Cut, width: float, digest: bytes, reading: Reading) -> Steps:
    bars, starts, ends = cut.bars, cut.starts, cut.ends
    volume = np.nan_to_num(bars["volume"])
    mean, is_typical = _mean_price(bars)
    first, count, masses = bar_masses(
        bin_coordinate(bars["low"], width), bin_coordinate(bars["high"], width), bin_coordinate(mean, width)
    )
    first_bin, size, joined = step_masses(first, count, masses, volume, cut.step)
    sweeps = (
        by_mark_price(cut.window, bars, starts, ends.end_ms) if reading.by_mark_price else by_last_price(bars, starts)
    )
    tilt, is_untold = reading.tilt.of_steps(cut.window, bars, starts, ends.end_ms)
    traded, typical = np.add.reduceat(volume, starts), np.logical_or.reduceat(is_typical, starts)
    flags = np.where(typical, Flag.TYPICAL_PRICE, 0) | np.where(is_untold, Flag.NO_TILT, 0)
    flags |= np.where(sweeps.is_last, Flag.LAST_PRICE, 0) | np.where(traded <= 0.0, Flag.STILL, 0)
    flags |= np.where(ends.end_ms - cut.before > STEP_MS, Flag.LONG_STEP, 0)
    return Steps(
        end_ms=ends.end_ms,
        low=np.minimum.reduceat(bars["low"], starts),
        high=np.maximum.reduceat(bars["high"], starts),
        close=bars["close"][np.append(starts[1:], len(bars)) - 1],
        volume=traded,
        open_interest=ends.open_interest,
        typical=typical,
        first_bin=first_bin,
        pointer=np.concatenate(([0], np.cumsum(size))),
        masses=joined,
        digests=_chain(cut, digest, None if reading == LAST_PRICE else (sweeps, tilt)),
        sweeps=sweeps,
        tilt=tilt,
        flags=flags.astype(np.uint16),
        gap=_gaps(cut),
    )


def _gaps(cut: _Cut) -> Bits:
    """Why the slots between the step before and the last slot of each step have no column: 0 where there are none."""
    before, end = cut.before, cut.ends.end_ms
    missing = (end - before) // STEP_MS - 1
    inner = np.searchsorted(cut.slots, end) - np.searchsorted(cut.slots, before, side="right")
    refused = np.searchsorted(cut.ends.disbelieved_ms, end) - np.searchsorted(cut.ends.disbelieved_ms, before)
    bits = np.where(inner < missing, Flag.NO_BARS, 0) | np.where(inner > 0, Flag.NO_OPEN_INTEREST, 0)
    return np.where(refused > 0, bits & ~Flag.NO_OPEN_INTEREST | Flag.DISBELIEVED, bits).astype(np.uint16)


def _mean_price(bars: Records) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The volume weighted price where reported, else (high + low + close) / 3."""
    volume, quote = bars["volume"], bars["quote_volume"]
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    reported = (np.nan_to_num(volume) > 0.0) & (np.nan_to_num(quote) > 0.0)
    mean = np.divide(quote, volume, out=typical, where=reported)
    return np.clip(mean, bars["low"], bars["high"]), ~reported


def _chain(cut: _Cut, digest: bytes, beside: tuple[Sweeps, Floats] | None) -> tuple[bytes, ...]:
    """One link per step, so that any revision shows from there on.

    SHA-256(previous, end, bars, open interest), and what an estimator reads beside them as it went into the step.
    """
    raw, size = cut.bars.tobytes(), cut.bars.dtype.itemsize
    cuts = [*(cut.starts * size).tolist(), len(raw)]
    heads = np.rec.fromarrays([cut.ends.end_ms, cut.ends.open_interest], dtype="<i8,<f8").tobytes()
    tails = [b""] * len(cut.starts)
    if beside is not None:
        sweeps, tilt = beside
        tails = [
            row.tobytes()
            for row in np.column_stack([sweeps.low, sweeps.high, sweeps.touch_low, sweeps.touch_high, tilt])
        ]
    links = []
    for index, tail in enumerate(tails):
        link = digest + heads[16 * index : 16 * index + 16] + raw[cuts[index] : cuts[index + 1]] + tail
        digest = sha256(link).digest()
        links.append(digest)
    return tuple(links)


def _no_steps() -> Steps:
    none, whole = np.empty(0), np.empty(0, np.int64)
    no, bits = np.empty(0, np.bool_), np.empty(0, np.uint16)
    sweeps = Sweeps(none, none, none, none, no)
    return Steps(
        end_ms=whole, low=none, high=none, close=none, volume=none, open_interest=none, typical=no, first_bin=whole,
        pointer=np.zeros(1, np.int64), masses=none, digests=(), sweeps=sweeps, tilt=none, flags=bits, gap=bits,
    )  # fmt: skip
