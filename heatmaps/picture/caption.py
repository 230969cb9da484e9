"""What stands under the plot: what it is, its colours, and what it is not; in as many rows as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from .fonts import font

if TYPE_CHECKING:
    from PIL import ImageDraw

    from . import Ink, Scene

Rows: TypeAlias = tuple[tuple[str, ...], ...]

ROW: Final = 24
_MARGIN: Final = 12
_LEGEND_FROM: Final = 1000
_LEGEND_STEPS: Final = 20
_LEGEND_WIDTH: Final = _LEGEND_STEPS * 6 + 16


def rows_of(scene: Scene, width: int) -> Rows:
    """Return what stands in each row under the plot, by name; what does not fit beside the rest has its own row."""
    has_legend = width >= _LEGEND_FROM and scene.colours is not None and any(scene.scale_text)
    legend = _LEGEND_WIDTH + font(11).getlength(_legend_text(scene)) + 2 * _MARGIN if has_legend else 0
    room = width - 3 * _MARGIN - font(12).getlength(scene.title)
    caption = font(12).getlength(scene.caption)
    if legend + caption <= room:
        return (("title", "legend", "caption") if has_legend else ("title", "caption"),)
    return (("title", "legend"), ("caption",)) if has_legend else (("title",), ("caption",))


def write(pen: ImageDraw.ImageDraw, scene: Scene, rows: Rows, size: tuple[int, int], ink: Ink) -> None:
    """Write the rows at the foot of a picture of that ``size`` [pixels]."""
    width, height = size
    line = height - ROW * len(rows)
    pen.line([(0, line), (width, line)], fill=ink.line)
    for number, row in enumerate(rows):
        middle = line + ROW * (number + 0.5)
        if "title" in row:
            pen.text((_MARGIN, middle), scene.title, fill=ink.text, font=font(12), anchor="lm")
        if "caption" in row:
            place, anchor = (_MARGIN, "lm") if len(row) == 1 else (width - _MARGIN, "rm")
            pen.text((place, middle), scene.caption, fill=ink.text, font=font(12), anchor=anchor)
        if "legend" in row:
            _legend(pen, scene, (3 * _MARGIN + font(12).getlength(scene.title), middle), ink)


def _legend(pen: ImageDraw.ImageDraw, scene: Scene, place: tuple[float, float], ink: Ink) -> None:
    assert scene.colours is not None  # rows_of() looked
    x, middle = place
    codes = np.linspace(*scene.scale_codes, _LEGEND_STEPS).astype(np.int64)
    rows = scene.colours.shape[1] if scene.classes is not None else 1
    for side, row, step in np.ndindex(2, rows, _LEGEND_STEPS):
        left, top = x + (side * _LEGEND_STEPS + step) * 3 + side * 6, middle - 7 + row * 14 / rows
        colour = tuple(scene.colours[side, row, codes[step]].tolist())
        pen.rectangle([left, top, left + 3, top + 14 / rows - 1], fill=colour)
    pen.text((x + _LEGEND_WIDTH, middle), _legend_text(scene), fill=ink.faint, font=font(11), anchor="lm")


def _legend_text(scene: Scene) -> str:
    low, high = scene.scale_text
    return f"{low} to {high} per 0.1% of price{'' if scene.classes is None else ', greyer: wider'}"
