"""Strips: all tiles of one column of tiles, in memory while a build writes into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from .grid import bin_price
from .tile import (
    DENSITY_BPS,
    GAP,
    LEVELS,
    NO_DATA,
    SPINE,
    TILE,
    Codes,
    Level,
    Spine,
    codes_from_usd,
    decode,
    decode_spine,
    encode,
    encode_spine,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import numpy.typing as npt

    from .grid import Ints

# The row under which a strip's spine is stored: no price has such a bin.
SPINE_ROW: Final = -(2**31)


@dataclass(frozen=True, slots=True)
class Scale:
    """How contracts become codes: bin width in ln(price), the density of code 1, and what a contract is worth.

    ``contract_usd``: the fixed value of an inverse contract [USD]; None for linear ones, worth their liquidation price.
    """

    width: float
    floor_usd: float
    contract_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns to paint, arrays [step]: end_ms ascending; anchor: first bin; contracts: float32[step, bins].

    gap: bits of ``flags.Flag`` that say why there is no column right before; None where nobody asked.
    """

    end_ms: Ints
    anchor: Ints
    contracts: npt.NDArray[np.float32]
    spine: Spine
    gap: npt.NDArray[np.uint16] | None = None


@dataclass(slots=True)
class Strip:
    """The codes of one column of tiles: rows[tile row] = uint8[256 bins, 256 columns], gaps not yet marked."""

    spine: Spine = field(default_factory=lambda: np.zeros(TILE, SPINE))
    rows: dict[int, Codes] = field(default_factory=dict)
    stored: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, bodies: Mapping[int, bytes]) -> Strip:
        """A strip from what is stored of it, by tile row."""
        strip = cls(stored=dict(bodies))
        if SPINE_ROW in bodies:
            strip.spine = decode_spine(bodies[SPINE_ROW])
        for row, body in bodies.items():
            if row != SPINE_ROW:
                codes = decode(body)
                codes[codes == GAP] = 0
                strip.rows[row] = codes
        return strip

    def clear(self, start: int) -> None:
        """Forget the columns from ``start`` on."""
        self.spine[start:] = np.zeros((), SPINE)
        for codes in self.rows.values():
            codes[:, start:] = 0

    def put(self, places: Ints, first_bin: int, codes: Codes) -> None:
        """Write codes[column, bin] from the absolute bin ``first_bin`` (of this level) up."""
        last = first_bin + codes.shape[1]
        for row in range(first_bin // TILE, (last - 1) // TILE + 1):
            low, high = max(first_bin, row * TILE), min(last, (row + 1) * TILE)
            part = codes[:, low - first_bin : high - first_bin]
            if row in self.rows or part.any():
                tile = self.rows.setdefault(row, np.zeros((TILE, TILE), np.uint8))
                tile[low - row * TILE : high - row * TILE, places] = part.T

    def block(self) -> tuple[int, Codes]:
        """All rows that hold anything as one array: (first bin, codes[bin, column])."""
        if not self.rows:
            return 0, np.zeros((0, TILE), np.uint8)
        first, last = min(self.rows), max(self.rows)
        empty = np.zeros((TILE, TILE), np.uint8)
        return first * TILE, np.concatenate([self.rows.get(row, empty) for row in range(first, last + 1)])

    def column(self, place: int) -> tuple[int, Codes]:
        """One column over all rows that hold anything: (first bin, codes)."""
        first, codes = self.block()
        return first, codes[:, place]

    def changes(self) -> dict[int, bytes | None]:
        """What to store, by tile row: new bytes, or None where a row holds nothing any more."""
        bodies: dict[int, bytes] = {SPINE_ROW: encode_spine(self.spine)}
        gaps = self.spine["status"] == NO_DATA
        for row, codes in self.rows.items():
            if codes.any():
                marked = codes.copy()
                marked[:, gaps] = GAP
                bodies[row] = encode(marked)
        changed: dict[int, bytes | None] = {row: body for row, body in bodies.items() if self.stored.get(row) != body}
        return changed | {row: None for row in self.stored if row not in bodies}


@dataclass(frozen=True, slots=True)
class _Span:
    """Of one level the periods to paint, ascending, the column that shows each, and the first period to forget."""

    level: Level
    period: Ints
    index: Ints
    start: int

    @classmethod
    def of(cls, level: Level, columns: Columns, after_ms: int | None) -> _Span:
        period = (columns.end_ms - 1) // level.step_ms
        index = np.flatnonzero(np.diff(period, append=period[-1] + 1))
        first = int(period[0])
        start = first // TILE * TILE if after_ms is None else min((after_ms - 1) // level.step_ms + 1, first)
        return cls(level, period[index], index, start)

    def begins(self) -> dict[tuple[int, int], int]:
        """The strips (level, col) that it touches, and from which of their columns on."""
        cols = range(self.start // TILE, int(self.period[-1]) // TILE + 1)
        return {(self.level.number, col): max(self.start - col * TILE, 0) for col in cols}


@dataclass(slots=True)
class Strips:
    """The strips that a build touches; ``load`` fetches what is stored of some (level, col): bodies by tile row."""

    scale: Scale
    load: Callable[[Collection[tuple[int, int]]], Mapping[tuple[int, int], Mapping[int, bytes]]] = lambda _: {}
    open: dict[tuple[int, int], Strip] = field(default_factory=dict)
    bins: tuple[int, int] | None = None

    def paint(self, columns: Columns, *, after_ms: int | None, levels: tuple[Level, ...] = LEVELS) -> None:
        """Write columns at every level; time after ``after_ms`` (None: of the whole strip) without one is a gap."""
        if len(columns.end_ms) == 0:
            return
        spans = [_Span.of(level, columns, after_ms) for level in levels]
        self._open({key: begin for span in spans for key, begin in span.begins().items()})
        for span in spans:
            self._paint_level(span, columns)

    def changes(self) -> Iterator[tuple[int, int, int, bytes | None]]:
        """What to store: (level, tile row, tile column, new bytes or None to delete)."""
        for (level, col), strip in sorted(self.open.items()):
            for row, body in sorted(strip.changes().items()):
                yield level, row, col, body

    def _paint_level(self, span: _Span, columns: Columns) -> None:
        level, period, index = span.level, span.period, span.index
        # The first column of each period: it is the one that comes after a gap.
        opens = np.append(0, index[:-1] + 1)
        for key, begin in span.begins().items():
            strip, col = self.open[key], key[1]
            strip.clear(begin)
            inside = (period >= col * TILE) & (period < (col + 1) * TILE)
            end = min(int(period[-1]) - col * TILE + 1, TILE)
            strip.spine["status"][begin:end] = NO_DATA
            if columns.gap is not None:
                next_ = np.searchsorted(period, col * TILE + np.arange(begin, end))
                strip.spine["flags"][begin:end] = columns.gap[opens[next_]]
            places, chosen = period[inside] - col * TILE, index[inside]
            strip.spine[places] = columns.spine[chosen]
            for anchor in np.unique(columns.anchor[chosen]).tolist():
                of_anchor = columns.anchor[chosen] == anchor
                self._put(strip, level, places[of_anchor], anchor, columns.contracts[chosen[of_anchor]])

    def _open(self, begins: Mapping[tuple[int, int], int]) -> None:
        """Load strips; one that is written from its first column on needs what is stored to know what changed alone."""
        new = [key for key in begins if key not in self.open]
        stored = self.load(new) if new else {}
        for key in new:
            bodies = stored.get(key, {})
            self.open[key] = Strip.read(bodies) if begins[key] > 0 else Strip(stored=dict(bodies))

    def _put(self, strip: Strip, level: Level, places: Ints, anchor: int, contracts: npt.NDArray[np.float32]) -> None:
        used = np.flatnonzero(contracts.any(axis=0))
        if len(used) == 0:
            return
        coarse = LEVELS[-1].factor
        low, high = int(used[0]) // coarse * coarse, (int(used[-1]) // coarse + 1) * coarse
        usd = contracts[:, low:high] * self._usd_per_contract(anchor + low, anchor + high)
        # A bin's value spread over its width: the sum over a coarser bin divided by how much wider it is.
        per_bin = DENSITY_BPS / (self.scale.width * 1e4 * level.factor)
        density = usd.reshape(len(places), -1, level.factor).sum(axis=2) * np.float32(per_bin)
        codes = codes_from_usd(density, self.scale.floor_usd)
        strip.put(places, (anchor + low) // level.factor, codes)
        if level.number == 0:
            self._widen(anchor + low, codes)

    def _usd_per_contract(self, low: int, high: int) -> npt.NDArray[np.float32]:
        if self.scale.contract_usd is not None:
            return np.full(high - low, self.scale.contract_usd, np.float32)
        return bin_price(np.arange(low, high), self.scale.width).astype(np.float32)

    def _widen(self, first_bin: int, codes: Codes) -> None:
        used = np.flatnonzero(codes.any(axis=0))
        if len(used):
            low, high = first_bin + int(used[0]), first_bin + int(used[-1]) + 1
            before = self.bins or (low, high)
            self.bins = min(before[0], low), max(before[1], high)
