"""The sum of several maps on one grid, column by column, and what each of them brings to it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .strips import Columns, Strip
from .tile import COMMITTED, DENSITY_BPS, DIGEST_MS, LEVELS, PROVISIONAL, SPINE, TILE, usd_from_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .grid import Floats, Ints

STEP_MS: Final = LEVELS[0].step_ms
# What a member brings is told within this share of the price.
NEAR: Final = 0.10
# A member that is missing is expected back for this long; then it is no part of the whole any more [ms].
EXPECTED_MS: Final = 86_400_000
# Strips before one that tell who is expected in it.
REMEMBERED: Final = -(-EXPECTED_MS // (TILE * STEP_MS))

# Who is in each column, and who ought to be: one bit for each member's number.
RECORD: Final = np.dtype([("present", "<u8"), ("expected", "<u8")])
# What a member brings to a column: within NEAR of the price below and above it, and its open interest [USD]; NaN for
# one that is not in it.
SHARE: Final = np.dtype([("longs", "<f4"), ("shorts", "<f4"), ("open_interest", "<f4")])

Record = npt.NDArray[np.void]
Shares = npt.NDArray[np.void]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a sum goes: all members that are up have committed columns, and any columns, to here."""

    through_ms: int
    drawn_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """A member's strip, and how its codes are read.

    number: the member's in the pair; contract_usd: as in ``strips.Scale``; committed_ms, drawn_ms: how far the map's
    pointers reach without and with provisional columns; is_over: nothing comes after that.
    """

    number: int
    strip: Strip
    code_floor_usd: float
    bin_bps: float
    contract_usd: float | None
    committed_ms: int
    drawn_ms: int
    is_over: bool = False

    def is_in(self, end_ms: Ints, reach: Reach) -> Bools:
        """In which columns it has a part: committed ones, and provisional ones where the sum is provisional, too."""
        status = self.strip.spine["status"]
        is_committed = (status == COMMITTED) & (end_ms <= self.committed_ms)
        is_drawn = (status == PROVISIONAL) & (end_ms <= self.drawn_ms) & (end_ms > reach.through_ms)
        return np.asarray((is_committed | is_drawn) & (end_ms <= reach.drawn_ms))

    def base(self, name: str) -> Floats:
        """A column of its spine that counts contracts, in base units."""
        contracts = self.strip.spine[name]
        close = np.where(self.strip.spine["close"] > 0, self.strip.spine["close"], 1.0)
        return np.asarray(contracts if self.contract_usd is None else contracts * self.contract_usd / close)


@dataclass(frozen=True, slots=True)
class Summed:
    """A strip of the sum: the columns that anybody is in, and for all 256 who is in them and with how much."""

    columns: Columns
    record: Record
    shares: Shares

    def between(self, since_ms: int, through_ms: int, status: int) -> Columns:
        """The columns that end after ``since_ms`` and by ``through_ms``, under a status of their own."""
        chosen = (self.columns.end_ms > since_ms) & (self.columns.end_ms <= through_ms)
        spine = self.columns.spine[chosen]
        spine["status"] = status
        return Columns(self.columns.end_ms[chosen], self.columns.anchor[chosen], self.columns.contracts[chosen], spine)


def sum_strip(parts: Sequence[Part], col: int, *, rank: npt.NDArray[np.int64], reach: Reach, before: Record) -> Summed:
    """Add up what the members have in a strip [USD per bin], in the order of their numbers.

    rank: int64[256, n] numbers of members for each column, the one whose prices count first; before: who was in the
    columns of the REMEMBERED strips before this one.
    """
    end_ms = (col * TILE + np.arange(TILE) + 1) * STEP_MS
    is_in = np.array([part.is_in(end_ms, reach) for part in parts]).reshape(-1, TILE)
    spine = _spine(parts, is_in, rank, end_ms)
    low, usd = _usd(parts, is_in)
    shares = np.full((TILE, 1 + max((part.number for part in parts), default=-1)), np.nan, SHARE)
    for part, present, amount in zip(parts, is_in, usd, strict=True):
        longs, shorts = near(amount, low, spine["close"], part.bin_bps * 1e-4)
        worth = part.base("open_interest") * part.strip.spine["close"]
        for name, values in (("longs", longs), ("shorts", shorts), ("open_interest", worth)):
            shares[name][:, part.number] = np.where(present, values, np.nan)
    used = np.flatnonzero(is_in.any(axis=0))
    total = usd.sum(axis=0).astype(np.float32)
    columns = Columns(end_ms[used], np.full(len(used), low), total[:, used].T, spine[used])
    return Summed(columns, _record(parts, is_in, end_ms, before), shares)


def _usd(parts: Sequence[Part], is_in: Bools) -> tuple[int, Floats]:
    """First bin and USD [part, bin, column] over all rows that any of them uses."""
    rows = [row for part in parts for row in part.strip.rows]
    if not rows:
        return 0, np.zeros((len(parts), 0, TILE))
    first, last = min(rows), max(rows)
    usd = np.zeros((len(parts), (last - first + 1) * TILE, TILE))
    for index, part in enumerate(parts):
        low, codes = part.strip.block()
        start = low - first * TILE
        amount = usd_from_code(codes, part.code_floor_usd) * (part.bin_bps / DENSITY_BPS)
        usd[index, start : start + len(codes)] = np.where(is_in[index], amount, 0.0)
    return first * TILE, usd


def _spine(parts: Sequence[Part], is_in: Bools, rank: npt.NDArray[np.int64], end_ms: Ints) -> npt.NDArray[np.void]:
    spine = np.zeros(TILE, SPINE)
    by_number = {part.number: index for index, part in enumerate(parts)}
    # From the last in rank to the first: whoever is in and comes first has the word.
    for numbers in rank.T[::-1]:
        for number in np.unique(numbers).tolist():
            index = by_number.get(number)
            if index is not None:
                chosen = (numbers == number) & is_in[index]
                for name in ("low", "high", "close", "swept"):
                    spine[name][chosen] = parts[index].strip.spine[name][chosen]
    for part, present in zip(parts, is_in, strict=True):
        for name in ("open_interest", "total"):
            spine[name] += np.where(present, part.base(name), 0.0)
    spine["kept"] = _kept(parts, is_in)
    for place in np.flatnonzero((end_ms % DIGEST_MS == 0) & is_in.any(axis=0)).tolist():
        spine["digest"][place] = _digest(parts, is_in[:, place], place)
    return spine


def _kept(parts: Sequence[Part], is_in: Bools) -> npt.NDArray[np.float32]:
    """What stayed open of all, [column, side]: the members' shares, each by the contracts that it has on the map."""
    kept, weight = np.zeros((TILE, 2)), np.zeros(TILE)
    for part, present in zip(parts, is_in, strict=True):
        share = np.where(present, part.base("total"), 0.0)
        kept += share[:, None] * np.where(present[:, None], part.strip.spine["kept"], 0.0)
        weight += share
    return (kept / np.where(weight > 0, weight, 1.0)[:, None]).astype(np.float32)


def _digest(parts: Sequence[Part], present: Bools, place: int) -> npt.NDArray[np.uint8]:
    """SHA-256 over numbers and digests of the members that are in a column."""
    inputs = [
        bytes([part.number]) + bytes(part.strip.spine[place]["digest"])
        for part, is_in in zip(parts, present, strict=True)
        if is_in
    ]
    return np.frombuffer(sha256(b"".join(inputs)).digest(), np.uint8)


def near(usd: Floats, low: int, close: Floats, width: float) -> tuple[Floats, Floats]:
    """What lies within NEAR of the close, below and above it: usd float64[bin, column] from the bin ``low`` up."""
    place = np.log(np.where(close > 0, close, 1.0)) / width - 0.5 - low
    reach = np.log([1.0 - NEAR, 1.0 + NEAR]) / width
    edges = (np.ceil(place + reach[0]), np.ceil(place), np.floor(place + reach[1]) + 1)
    first, split, last = (np.clip(edge, 0, len(usd)).astype(np.int64) for edge in edges)
    summed, at = np.concatenate((np.zeros((1, usd.shape[1])), np.cumsum(usd, axis=0))), np.arange(usd.shape[1])
    return summed[split, at] - summed[first, at], summed[last, at] - summed[split, at]


def _record(parts: Sequence[Part], is_in: Bools, end_ms: Ints, before: Record) -> Record:
    record = np.zeros(TILE, RECORD)
    places = np.arange(-len(before), TILE)
    for part, present in zip(parts, is_in, strict=True):
        bit = np.uint64(1 << part.number)
        history = np.concatenate(((before["present"] & bit) != 0, present))
        seen = np.maximum.accumulate(np.where(history, places, np.iinfo(np.int64).min // 2))
        is_expected = (places - seen < EXPECTED_MS // STEP_MS)[len(before) :]
        if part.is_over:
            is_expected &= end_ms <= part.committed_ms
        record["present"] |= np.where(present, bit, np.uint64(0))
        record["expected"] |= np.where(is_expected, bit, np.uint64(0))
    return record


def is_partial(record: Record) -> Bools:
    """In which columns somebody is missing who ought to be in."""
    return np.asarray((record["expected"] & ~record["present"]) != 0)


def in_share(strips: Sequence[tuple[Record, Shares]]) -> Floats:
    """The share of known open interest that is in each column of strips in order of time: float64[256 * strips].

    A member that ought to be in and is not counts with what it had last in these strips; one of which nothing is known
    counts for nothing.
    """
    count = max((shares.shape[1] for _, shares in strips), default=0)
    record = np.concatenate([record for record, _ in strips])
    worth = np.full((len(record), count), np.nan)
    for index, (_, shares) in enumerate(strips):
        worth[index * TILE : (index + 1) * TILE, : shares.shape[1]] = shares["open_interest"]
    known = np.where(np.isfinite(worth), np.arange(len(worth))[:, None], -1)
    last = np.maximum.accumulate(known, axis=0)
    held = np.where(last >= 0, np.take_along_axis(worth, np.maximum(last, 0), axis=0), 0.0)
    bits = np.uint64(1) << np.arange(count, dtype=np.uint64)
    present, missing = (
        (bits_of[:, None] & bits) != 0 for bits_of in (record["present"], record["expected"] & ~record["present"])
    )
    inside, outside = (held * present).sum(axis=1), (held * missing).sum(axis=1)
    return np.asarray(np.divide(inside, inside + outside, out=np.ones(len(record)), where=inside > 0.0))


def numbers_of(bits: int) -> list[int]:
    """The members' numbers in a set of bits, ascending."""
    return [number for number in range(bits.bit_length()) if bits >> number & 1]


def pack(values: Record | Shares) -> bytes:
    """Records or shares of a strip as bytes; equal values give equal bytes."""
    return gzip.compress(values.tobytes(), 6, mtime=0)


def unpack_record(body: bytes) -> Record:
    """Undo ``pack`` of a record."""
    return np.frombuffer(gzip.decompress(body), RECORD)


def unpack_shares(body: bytes) -> Shares:
    """Undo ``pack`` of shares: SHARE[256, member]."""
    return np.frombuffer(gzip.decompress(body), SHARE).reshape(TILE, -1)
