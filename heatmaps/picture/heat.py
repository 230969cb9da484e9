"""The heat of the picture: each pixel by nearest bar and bin, greyer where the interval is wider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps.core.tile import GAP

if TYPE_CHECKING:
    import numpy.typing as npt

    from . import Frame, Ink, Scene

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[Any]

_HATCH_STEP: Final = 7


def paint(scene: Scene, frame: Frame, ink: Ink) -> npt.NDArray[np.uint8]:
    """Colour each pixel by nearest bar and bin; right of now the last column is carried forward, paler."""
    assert scene.codes is not None  # draw() looked
    assert scene.colours is not None
    count = len(scene.bars)
    pixels = (np.arange(frame.width) / frame.spacing).astype(np.int64)
    index = np.minimum(pixels, count - 1)
    prices = frame.top + (frame.bottom - frame.top) * (np.arange(frame.height) + 0.5) / frame.height
    bins = np.floor(np.log(np.maximum(prices, 1e-12)) / scene.bin_width).astype(np.int64) - scene.bin_lo
    inside = (bins >= 0) & (bins < scene.codes.shape[0])
    codes = scene.codes[np.clip(bins, 0, scene.codes.shape[0] - 1)][:, index]
    codes = np.where(inside[:, None], codes, 0)
    closes = filled(scene.bars[:, 3])[index]
    sides = (prices[:, None] > closes[None, :]).astype(np.int64)
    away = np.log(np.maximum(prices, 1e-12))[:, None] - np.log(np.maximum(closes, 1e-12))[None, :]
    sure = _classes(scene, index, sides, (np.abs(away) / scene.bin_width).astype(np.int64))
    # A gap is a hole in the data: hatched, never the colour of nothing.
    lines = np.add.outer(np.arange(frame.height), np.arange(frame.width)) % _HATCH_STEP == 0
    heat = np.where(
        ((codes == GAP) & lines)[..., None], np.array(ink.hatch, np.uint8), scene.colours[sides, sure, codes]
    )
    later = pixels >= count
    heat[:, later] = (heat[:, later].astype(np.uint16) + np.array(ink.ground, np.uint16)) // 2
    return heat


def _classes(scene: Scene, index: Ints, sides: Ints, bins: Ints) -> Ints:
    """The class of each pixel's interval; the first one where the picture has no classes."""
    if scene.classes is None or scene.tables is None:
        return np.zeros((1, 1), np.int64)
    table = scene.tables[index][None, :]
    return np.asarray(scene.classes[table, sides, np.minimum(bins, scene.classes.shape[2] - 1)], np.int64)


def filled(values: Floats) -> Floats:
    """Carry the last known value over holes; leading holes read as 0."""
    known = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(values.size), -1))
    return np.where(known >= 0, values[np.maximum(known, 0)], 0.0)
