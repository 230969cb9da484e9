"""Densities as bytes: absolute log codes in tiles of 256 columns by 256 price bins, at four levels of detail.

A code means the same density in every tile of a heatmap. The map is a stock, so a coarser column is the last one of
its period; in price, bins are summed, so that the total stays exact.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .grid import Floats

TILE: Final = 256
GAP: Final = 255
TOP: Final = 254
CODES_PER_OCTAVE: Final = 16
# Density is shown per this share of price [basis points]: USD per 0.1 %.
DENSITY_BPS: Final = 10.0

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of detail: length of a column [ms] and how many of the finest bins make one of its bins."""

    number: int
    step_ms: int
    factor: int


LEVELS: Final = (
    Level(0, 300_000, 1),
    Level(1, 3_600_000, 2),
    Level(2, 14_400_000, 4),
    Level(3, 86_400_000, 8),
)

# What a column rests on, kept beside the tiles: prices of the step [quote per base], open interest and what of it
# is on the map [contracts]. Its status tells a gap from a column that is not there yet, its flags (``flags.Flag``) what
# is unusual about the step or why there is none.
DIGEST_MS: Final = 3_600_000
NONE, COMMITTED, PROVISIONAL, NO_DATA = 0, 1, 2, 3
_FIRST_SPINE: Final = np.dtype(
    [
        ("low", "<f8"),
        ("high", "<f8"),
        ("close", "<f8"),
        ("open_interest", "<f8"),
        ("total", "<f8"),
        ("status", "u1"),
        # SHA-256 over all input up to here; kept for columns that end an hour, where zones may form.
        ("digest", "u1", (32,)),
    ]
)
_SECOND_SPINE: Final = np.dtype([*_FIRST_SPINE.descr, ("flags", "<u2")])
# kept: the share of positions beyond the step's prices that stayed open, (longs, shorts), NaN where it is not known;
# swept: the lowest and highest price to which all was swept [quote per base].
SPINE: Final = np.dtype([*_SECOND_SPINE.descr, ("kept", "<f4", (2,)), ("swept", "<f8", (2,))])
_FORMER: Final = {TILE * one.itemsize: one for one in (_FIRST_SPINE, _SECOND_SPINE)}
Spine = npt.NDArray[np.void]


def codes_from_usd(density: npt.NDArray[Any], floor_usd: float) -> Codes:
    """Codes of densities [USD per 0.1 % of price], any shape: 0 below the floor, 1 at it, 16 to an octave, 254 at most.

    The largest relative error inside the range is 2 ** (1 / 32) - 1 = 2.2 %.
    """
    steps = np.log2(np.maximum(density, 1e-3 * floor_usd) / floor_usd) * CODES_PER_OCTAVE
    codes: Codes = np.clip(np.rint(steps) + 1.0, 0.0, TOP).astype(np.uint8)
    return codes


def usd_from_code(codes: npt.ArrayLike, floor_usd: float) -> Floats:
    """Densities of codes [USD per 0.1 % of price], any shape; a gap reads as 0."""
    return np.asarray(_table(floor_usd)[np.asarray(codes).astype(np.uint8)])


def encode(codes: Codes) -> bytes:
    """A tile as bytes: uint8[256 bins ascending, 256 columns] -> each row as differences modulo 256 -> gzip.

    Equal codes give equal bytes: the time in the gzip head is 0.
    """
    delta = codes.copy()
    delta[:, 1:] -= codes[:, :-1]
    return _squeeze(delta.tobytes())


def decode(body: bytes) -> Codes:
    """Undo ``encode``; ValueError for a body of another size."""
    delta = np.frombuffer(gzip.decompress(body), np.uint8).reshape(TILE, TILE)
    return np.cumsum(delta, axis=1, dtype=np.uint8)


def encode_spine(spine: Spine) -> bytes:
    """256 records of SPINE as bytes."""
    return gzip.compress(spine.tobytes(), 1, mtime=0)


def decode_spine(body: bytes) -> Spine:
    """Undo ``encode_spine``; those of before there were flags read as having none, and former ones tell no closes."""
    raw = bytearray(gzip.decompress(body))
    if len(raw) not in _FORMER:
        return np.frombuffer(raw, SPINE)
    former, spine = np.frombuffer(raw, _FORMER[len(raw)]), np.zeros(TILE, SPINE)
    for name in former.dtype.names or ():
        spine[name] = former[name]
    spine["kept"] = np.nan
    spine["swept"] = np.stack([former["low"], former["high"]], axis=1)
    return spine


def _squeeze(raw: bytes) -> bytes:
    """Gzip that looks for runs alone: differences are mostly zeros. A quarter of the time of level 6, 3 % larger."""
    runs = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return runs.compress(raw) + runs.flush()


def closed_before(through_ms: int, level: int) -> int:
    """The first tile column of a level that is still open where the map reaches through [ms]."""
    return through_ms // (LEVELS[level].step_ms * TILE)


def code_floor(open_interest_usd: float) -> float:
    """The density of code 1 for an instrument of that size: 20,000 USD at 8 billion, by powers of two."""
    octaves = np.rint(np.log2(max(open_interest_usd, 1.0) / 8e9))
    return float(20_000.0 * 2.0**octaves)


def _table(floor_usd: float) -> Floats:
    table = floor_usd * 2.0 ** ((np.arange(256) - 1) / CODES_PER_OCTAVE)
    table[[0, GAP]] = 0.0
    return np.asarray(table)
