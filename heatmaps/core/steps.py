"""A window of bars and open interest, cut into the steps on which the inventory moves.

A step ends where open interest was sampled, on the five-minute grid of the epoch. Where a sample is missing the step
grows until the next one: nothing is interpolated, so nothing is opened that was not reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import STEP_MS, Window

from .entries import bar_masses, step_masses
from .grid import Floats, Ints, bin_coordinate

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records

# A sample up to this late still describes the end of the step before it [ms]: venues stamp some seconds after.
LATE_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in time order, all arrays [step] unless said otherwise.

    end_ms: right edge [ms]; low, high, close [quote per base]; volume, open_interest [contracts]; typical: no volume
    weighted price was reported for some bar; first_bin: where the entry histogram starts; pointer: int64[step + 1]
    into ``masses``; digests: SHA-256 over all input so far.
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

    def __len__(self) -> int:
        return len(self.end_ms)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where steps end and the open interest there: end_ms int64[n] ascending, open_interest float64[n]."""

    end_ms: Ints
    open_interest: Floats


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


def cut_steps(window: Window, ends: Ends, *, width: float, through_ms: int | None, digest: bytes) -> Steps:
    """Cut a window at ``ends``; bars before ``through_ms`` and after the last end are left out.

    Without ``through_ms`` (no state yet) the first step is only the slot that its sample ends: the time before is
    unknown, not long. An end without a bar makes no step.
    """
    if len(ends.end_ms) == 0:
        return _no_steps()
    since = int(ends.end_ms[0]) - STEP_MS if through_ms is None else through_ms
    slot = window.bars["open_time"] // STEP_MS * STEP_MS + STEP_MS
    bars = window.bars[(slot > since) & (slot <= ends.end_ms[-1])]
    if len(bars) == 0:
        return _no_steps()
    end_index = np.searchsorted(ends.end_ms, bars["open_time"] // STEP_MS * STEP_MS + STEP_MS)
    used, step = np.unique(end_index, return_inverse=True)
    return _build(bars, step, Ends(ends.end_ms[used], ends.open_interest[used]), width, digest)


def _build(bars: Records, step: Ints, ends: Ends, width: float, digest: bytes) -> Steps:
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    volume = np.nan_to_num(bars["volume"])
    mean, is_typical = _mean_price(bars)
    first, count, masses = bar_masses(
        bin_coordinate(bars["low"], width), bin_coordinate(bars["high"], width), bin_coordinate(mean, width)
    )
    first_bin, size, joined = step_masses(first, count, masses, volume, step)
    return Steps(
        end_ms=ends.end_ms,
        low=np.minimum.reduceat(bars["low"], starts),
        high=np.maximum.reduceat(bars["high"], starts),
        close=bars["close"][np.append(starts[1:], len(bars)) - 1],
        volume=np.add.reduceat(volume, starts),
        open_interest=ends.open_interest,
        typical=np.logical_or.reduceat(is_typical, starts),
        first_bin=first_bin,
        pointer=np.concatenate(([0], np.cumsum(size))),
        masses=joined,
        digests=_chain(bars, starts, ends, digest),
    )


def _mean_price(bars: Records) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The volume weighted price where reported, else (high + low + close) / 3."""
    volume, quote = bars["volume"], bars["quote_volume"]
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    reported = (np.nan_to_num(volume) > 0.0) & (np.nan_to_num(quote) > 0.0)
    mean = np.divide(quote, volume, out=typical, where=reported)
    return np.clip(mean, bars["low"], bars["high"]), ~reported


def _chain(bars: Records, starts: Ints, ends: Ends, digest: bytes) -> tuple[bytes, ...]:
    """One link per step: SHA-256(previous, end, bars, open interest), so that any revision shows from there on."""
    raw, size = bars.tobytes(), bars.dtype.itemsize
    cuts = [*(starts * size).tolist(), len(raw)]
    heads = np.rec.fromarrays([ends.end_ms, ends.open_interest], dtype="<i8,<f8").tobytes()
    links = []
    for index in range(len(starts)):
        link = digest + heads[16 * index : 16 * index + 16] + raw[cuts[index] : cuts[index + 1]]
        digest = sha256(link).digest()
        links.append(digest)
    return tuple(links)


def _no_steps() -> Steps:
    none, whole = np.empty(0), np.empty(0, np.int64)
    flags = np.empty(0, np.bool_)
    return Steps(whole, none, none, none, none, none, flags, whole, np.zeros(1, np.int64), none, ())
