"""Tiles by their addresses, which name the release and the revision of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from heatmaps import queries

if TYPE_CHECKING:
    from heatmaps.models import Heatmap


def base_url(*, heatmap: Heatmap, key: str) -> str:
    """Return the address under which a map's tiles lie, as ``level/row/col.bin``."""
    place = {"release": queries.release_name(heatmap=heatmap), "level": 0, "row": 0, "col": 0}
    return reverse("heatmaps:tile", kwargs={"key": key, **place}).removesuffix("0/0/0.bin")


def find(*, key: str, release: str, level: int, row: int, col: int) -> queries.StoredTile | None:
    """Return the tile of an address; None where there is no such map, or nothing of it is built there."""
    return queries.find_tile(key=key, release=release, level=level, row=row, col=col)
