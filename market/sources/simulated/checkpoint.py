"""A simulated market as bytes and back: what a source keeps to go on, and the truth that estimates are scored with."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from market.sources.base import SourceError

from .book import BOOKS, HEDGED, NEVER, Book, veil
from .market import Market
from .motion import State
from .world import LEVERAGE_UNIT, WORLDS, World, liquidation_ticks

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records

MAGIC: Final = b"BHSIM"
LAYOUT: Final = 1
BODY_MAX: Final = 16_000_000  # bytes after inflating; a market holds a tenth of that
HEADER: Final = len(MAGIC) + 1 + 4
COLUMNS: Final = (("quantity", "<i8"), ("entry", "<i4"), ("centi", "<i2"), ("spare", "<i1"))

# position_side +1 long, -1 short; entry, liquidation_price [quote] (NaN = hedged, never liquidated); quantity [base].
POSITION: Final = np.dtype(
    [
        ("position_side", "<i8"),
        ("entry", "<f8"),
        ("leverage", "<f8"),
        ("liquidation_price", "<f8"),
        ("quantity", "<f8"),
    ]
)


def pack(market: Market) -> bytes:
    """Return the market as bytes: magic, layout, checksum, then deflated head (JSON line) and columns."""
    head = {
        "symbol": market.world.facts.symbol,
        "start_ms": market.start_ms,
        "minute": market.minute,
        "count": market.book.count,
        "state": {name: value.hex() for name, value in asdict(market.state).items()},
    }
    parts = [json.dumps(head, sort_keys=True).encode(), b"\n"]
    for name, kind in COLUMNS:
        for row in range(BOOKS):
            values = getattr(market.book, name)[row, : market.book.count[row]].astype(kind)
            # The bytes of one significance side by side deflate to half.
            parts.append(values.view(np.uint8).reshape(-1, values.itemsize).T.tobytes())
    body = zlib.compress(b"".join(parts), 6)
    return MAGIC + bytes([LAYOUT]) + zlib.crc32(body).to_bytes(4, "little") + body


def unpack(body: bytes) -> Market:
    """Return the market that ``pack`` wrote. Raises SourceError when the bytes are not whole."""
    try:
        return _read(_inflate(bytes(body)))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, zlib.error) as error:
        raise SourceError(f"The simulated market's checkpoint is damaged: {error}.", permanent=True) from error


def _inflate(body: bytes) -> bytes:
    if body[: len(MAGIC)] != MAGIC or len(body) < HEADER:
        raise ValueError("it does not begin like one")
    if body[len(MAGIC)] != LAYOUT:
        raise ValueError(f"its layout is {body[len(MAGIC)]}, this version reads {LAYOUT}")
    if zlib.crc32(body[HEADER:]).to_bytes(4, "little") != body[HEADER - 4 : HEADER]:
        raise ValueError("its checksum does not match")
    inflater = zlib.decompressobj()
    plain = inflater.decompress(body[HEADER:], BODY_MAX)
    if not inflater.eof:
        raise ValueError("it is too large or cut short")
    return plain


def _read(plain: bytes) -> Market:
    line, _, columns = plain.partition(b"\n")
    head = json.loads(line)
    if head["symbol"] not in WORLDS:
        raise ValueError(f"its instrument {head['symbol']!r} is unknown")
    state = State(**{field.name: float.fromhex(head["state"][field.name]) for field in fields(State)})
    book = _read_book([int(count) for count in head["count"]], columns)
    world = WORLDS[head["symbol"]]
    return Market(world=world, start_ms=int(head["start_ms"]), minute=int(head["minute"]), state=state, book=book)


def _read_book(counts: list[int], columns: bytes) -> Book:
    if (
        len(counts) != BOOKS
        or min(counts) < 0
        or len(columns) != sum(counts) * sum(np.dtype(kind).itemsize for _, kind in COLUMNS)
    ):
        raise ValueError("its columns have a wrong length")
    raw: dict[str, list[npt.NDArray[np.int64]]] = {}
    offset = 0
    for name, kind in COLUMNS:
        for count in counts:
            size = count * np.dtype(kind).itemsize
            planes = np.frombuffer(columns, np.uint8, size, offset).reshape(-1, count)
            values = np.ascontiguousarray(planes.T).view(kind).reshape(-1)
            raw.setdefault(name, []).append(values.astype(np.int64))
            offset += size
    book = Book()
    for row in range(BOOKS):
        quantity, entry, centi, spare = (raw[name][row] for name, _ in COLUMNS)
        if (quantity < 0).any() or (entry < 1).any() or (centi < 1).any() or (spare < HEDGED).any():
            raise ValueError("it holds positions that can not be")
        liquidation = liquidation_ticks(entry=entry, centi=centi, side=1 - 2 * (row // 2))
        book.append(row, veil(row, np.stack([quantity, entry, centi, liquidation, spare])))
    return book


def positions(body: bytes) -> Records:
    """Return the true open positions of a checkpoint, POSITION[n]. Raises SourceError."""
    market = unpack(body)
    return np.concatenate([_positions_of(market.world, market.book, row) for row in range(BOOKS)])


def _positions_of(world: World, book: Book, row: int) -> Records:
    live = np.flatnonzero(book.quantity[row, : book.count[row]])
    out = np.empty(len(live), POSITION)
    liquidation = book.liquidation[row, live]
    out["position_side"] = 1 - 2 * (row // 2)
    out["entry"] = book.entry[row, live] / world.ticks_per_unit
    out["leverage"] = book.centi[row, live] * LEVERAGE_UNIT
    out["liquidation_price"] = np.where(liquidation == NEVER[row], np.nan, liquidation / world.ticks_per_unit)
    out["quantity"] = book.quantity[row, live] / world.lots_per_unit
    return out
