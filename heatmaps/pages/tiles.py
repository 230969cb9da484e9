"""Several tiles at once, as one array of codes; for the picture and for the colour scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from heatmaps import queries
from heatmaps.core.tile import LEVELS, TILE, decode
from heatmaps.models import Heatmap, Tile

if TYPE_CHECKING:
    import numpy.typing as npt


def read_codes(*, heatmap: Heatmap, level: int, rows: tuple[int, int], cols: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return codes [bin, column] of all tiles from the first to the last row and column, both included.

    What was never built reads as 0.
    """
    shape = ((rows[1] - rows[0] + 1) * TILE, (cols[1] - cols[0] + 1) * TILE)
    codes = np.zeros(shape, np.uint8)
    found = Tile.objects.filter(heatmap=heatmap, level=level, row__range=rows, col__range=cols)
    for row, col, body in found.values_list("row", "col", "body"):
        top, left = (row - rows[0]) * TILE, (col - cols[0]) * TILE
        codes[top : top + TILE, left : left + TILE] = decode(bytes(body))
    return codes


def find(*, key: str, release: str, level: int, row: int, col: int) -> queries.StoredTile | None:
    """Return the tile of an address; None where there is no such map, or nothing of it is built there."""
    venue, _, symbol = key.partition(":")
    slug, _, version = release.rpartition("-")
    heatmap = (
        Heatmap.objects.filter(instrument__venue=venue, instrument__symbol=symbol)
        .filter(release__slug=slug, release__version=version)
        .order_by("pk")
        .first()
    )
    if heatmap is None or not 0 <= level < len(LEVELS):
        return None
    return queries.read_tile(heatmap=heatmap, level=level, row=row, col=col)
