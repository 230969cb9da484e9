"""Stored tiles: one, a rectangle of them, or a whole strip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db.models import Q

from heatmaps.core.strips import SPINE_ROW, Strip
from heatmaps.core.tile import GAP, LEVELS, NO_DATA, TILE, closed_before, decode, encode
from heatmaps.models import Heatmap, Tile
from market import queries as market
from market.series import epoch_ms

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.core.grid import Ints
    from heatmaps.core.tile import Codes
    from market.queries import Question
    from market.series import Records

_STORED: Final = np.dtype([("col", "<i8"), ("row", "<i8"), ("body", "O")])


@dataclass(frozen=True, slots=True)
class StoredTile:
    """A tile's bytes (gzip, see heatmaps.core.tile).

    A closed one only changes when older data were corrected, and then the heatmap's revision does, too.
    """

    body: bytes
    etag: str
    is_closed: bool


def read_tile(*, heatmap: Heatmap, level: int, row: int, col: int) -> StoredTile | None:
    """Return one tile; one that holds nothing is made up inside the built span, None stands for outside."""
    return read_tiles(heatmap=heatmap, level=level, rows=range(row, row + 1), cols=range(col, col + 1)).get((row, col))


def find_tile(*, key: str, release: str, level: int, row: int, col: int) -> StoredTile | None:
    """Return the tile of an address; None where there is no such map, or nothing of it is built there.

    ``release`` is a map's ``release_name``, possibly of an earlier revision: what is there now then is not closed.
    """
    venue, _, symbol = key.partition(":")
    name, _, revision = release.rpartition("-r")
    slug, _, version = name.rpartition("-")
    maps = Heatmap.objects.filter(release__slug=slug, release__version=version).order_by("pk")
    heatmap = maps.filter(instrument__venue=venue, instrument__symbol=symbol).first()
    if heatmap is None:
        return None
    tile = read_tile(heatmap=heatmap, level=level, row=row, col=col)
    if tile is None or not tile.is_closed:
        return tile
    # Asked after the bytes were read: had they been rewritten in between, the revision would say so.
    heatmap.refresh_from_db(fields=["revision"])
    return replace(tile, is_closed=revision == str(heatmap.revision))


def read_tiles(*, heatmap: Heatmap, level: int, rows: range, cols: range) -> dict[tuple[int, int], StoredTile]:
    """Return the tiles of a rectangle by (row, col); what lies outside the built span is left out."""
    places = _built_places(heatmap, level, rows, cols)
    if not places:
        return {}
    columns = {col for _, col in places}
    wanted = Tile.objects.filter(heatmap=heatmap, level=level, col__in=columns)
    found = {
        (row, col): (bytes(body), etag)
        for row, col, body, etag in wanted.filter(Q(row__in={row for row, _ in places}) | Q(row=SPINE_ROW)).values_list(
            "row", "col", "body", "etag"
        )
    }
    first_open = 0 if heatmap.built_through is None else closed_before(epoch_ms(heatmap.built_through), level)
    return {
        (row, col): StoredTile(*(found.get((row, col)) or _empty(found.get((SPINE_ROW, col)))), col < first_open)
        for row, col in places
    }


def _built_places(heatmap: Heatmap, level: int, rows: range, cols: range) -> list[tuple[int, int]]:
    if not 0 <= level < len(LEVELS) or heatmap.built_from is None or heatmap.built_through is None:
        return []
    if heatmap.bin_lo is None or heatmap.bin_hi is None:
        return []
    size, factor = LEVELS[level].step_ms * TILE, LEVELS[level].factor * TILE
    end = max(heatmap.built_through, heatmap.provisional_through or heatmap.built_through)
    built_cols = range(epoch_ms(heatmap.built_from) // size, (epoch_ms(end) - 1) // size + 1)
    built_rows = range(heatmap.bin_lo // factor, (heatmap.bin_hi - 1) // factor + 1)
    return [(row, col) for row in _common(rows, built_rows) for col in _common(cols, built_cols)]


def _common(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _empty(spine: tuple[bytes, str] | None) -> tuple[bytes, str]:
    codes = np.zeros((TILE, TILE), np.uint8)
    if spine is not None:
        codes[:, Strip.read({SPINE_ROW: spine[0]}).spine["status"] == NO_DATA] = GAP
    body = encode(codes)
    return body, sha256(body).hexdigest()[:32]


def read_strip(*, heatmap: Heatmap, col: int) -> Strip:
    """Return all that is stored of one column of tiles at the finest level."""
    rows = Tile.objects.filter(heatmap=heatmap, level=0, col=col).values_list("row", "body")
    return Strip.read({row: bytes(body) for row, body in rows})


def ask_strip_and_spines(*, heatmap: Heatmap, cols: range) -> Question:
    """Ask for the last strip of some, and for the spines of all."""
    tiles = Tile.objects.filter(heatmap=heatmap, level=0, col__gte=cols.start, col__lt=cols.stop)
    wanted = tiles.filter(Q(col=cols[-1]) | Q(row=SPINE_ROW)).values("col", "row", "body")
    return market.ask_queryset(wanted, _STORED)


def strip_and_spines(stored: Records, cols: range) -> tuple[Strip, dict[int, bytes]]:
    """Make of the answer a strip, as ``read_strip`` does, and what is stored of the spines of all, by strip."""
    bodies: dict[int, dict[int, bytes]] = {col: {} for col in cols}
    for col, row, body in stored.tolist():
        bodies[col][row] = body
    spines = {col: rows[SPINE_ROW] for col, rows in bodies.items() if SPINE_ROW in rows}
    return Strip.read(bodies[cols[-1]]), spines


def read_codes(*, heatmap: Heatmap, level: int, rows: tuple[int, int], cols: tuple[int, int]) -> Codes:
    """Return codes [bin, column] of all tiles from the first to the last row and column, both included.

    A column outside what the map's pointers say is built is a gap, whatever may be stored of it.
    """
    codes = np.zeros(((rows[1] - rows[0] + 1) * TILE, (cols[1] - cols[0] + 1) * TILE), np.uint8)
    span = {"rows": range(rows[0], rows[1] + 1), "cols": range(cols[0], cols[1] + 1)}
    for (row, col), tile in read_tiles(heatmap=heatmap, level=level, **span).items():
        top, left = (row - rows[0]) * TILE, (col - cols[0]) * TILE
        codes[top : top + TILE, left : left + TILE] = decode(tile.body)
    # Data are missing at every price or at none.
    is_gap = (codes == GAP).any(axis=0) | ~_is_built(heatmap, level, cols[0] * TILE + np.arange(codes.shape[1]))
    codes[:, is_gap] = GAP
    return codes


def _is_built(heatmap: Heatmap, level: int, columns: Ints) -> npt.NDArray[np.bool_]:
    if heatmap.built_from is None or heatmap.built_through is None:
        return np.zeros(columns.shape, np.bool_)
    step_ms = LEVELS[level].step_ms
    end = max(heatmap.built_through, heatmap.provisional_through or heatmap.built_through)
    is_built: npt.NDArray[np.bool_] = (columns >= epoch_ms(heatmap.built_from) // step_ms) & (
        columns <= (epoch_ms(end) - 1) // step_ms
    )
    return is_built
