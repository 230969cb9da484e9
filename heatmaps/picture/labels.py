"""Names of lines and zones, as tags of which none covers another: lines to the left, zones to the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .fonts import font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageDraw

    from heatmaps.palette import Rgb

    from . import Band, Frame, Ink, Scene

# From middle to middle of two tags, half a tag's height, and how near the plot's ends its middle may come [pixels].
APART: Final = 21
_HALF: Final = 8
_EDGE: Final = 12
_SIZE: Final = 11
_INSET: Final = 6
# Below the notice in the upper left corner.
_NOTICED: Final = 42


@dataclass(frozen=True, slots=True)
class Tag:
    """A text in a box on the plot [pixels]; without a colour it has no edge."""

    text: str
    left: float
    middle: float
    edge: Rgb | None = None

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        right = self.left + font(_SIZE).getlength(self.text) + 2 * _INSET
        return self.left, self.middle - _HALF, right, self.middle + _HALF


def tags_of(scene: Scene, frame: Frame, ink: Ink) -> tuple[Tag, ...]:
    """Return the tags of what is seen, each as near its price as the others let it."""
    lines = [line for line in scene.lines if frame.bottom < line[1] < frame.top]
    zones = [band for band in scene.zones if is_seen(band, frame)]
    first = _NOTICED if scene.notice else _EDGE
    at_lines = spread([frame.y(price) for _, price, _ in lines], first=first, last=frame.height - _EDGE)
    middles = [(frame.y(band.high) + frame.y(band.low)) / 2 for band in zones]
    at_zones = spread(middles, first=_EDGE, last=frame.height - _EDGE)
    return (
        *(Tag(label, 0.0, middle) for (label, *_), middle in zip(lines, at_lines, strict=True)),
        *(_at_right(band, middle, frame, ink) for band, middle in zip(zones, at_zones, strict=True)),
    )


def _at_right(band: Band, middle: float, frame: Frame, ink: Ink) -> Tag:
    left = frame.width - 5 - font(_SIZE).getlength(band.label) - 2 * _INSET
    return Tag(band.label, left, middle, ink.longs if band.is_long else ink.shorts)


def is_seen(band: Band, frame: Frame) -> bool:
    """Tell whether any of a zone lies within the plot."""
    return band.low < frame.top and band.high > frame.bottom


def spread(wanted: Sequence[float], *, first: float, last: float, apart: float = APART) -> list[float]:
    """Return places within [first, last] that lie ``apart``, in the order wanted and as near as that allows.

    More than there is room for are evenly apart.
    """
    order = np.argsort(wanted, kind="stable")
    apart = min(apart, (last - first) / max(1, len(wanted) - 1))
    steps = apart * np.arange(len(wanted))
    # Without the steps the places must only not fall: neighbours that would are moved to their mean.
    runs: list[tuple[float, int]] = []
    for place in np.asarray(wanted, np.float64)[order] - steps:
        mean, count = float(place), 1
        while runs and runs[-1][0] > mean:
            before, many = runs.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        runs.append((mean, count))
    level = np.repeat([mean for mean, _ in runs], [count for _, count in runs])
    found = np.empty(len(wanted))
    found[order] = np.clip(level, first, last - apart * max(0, len(wanted) - 1)) + steps
    return [float(place) for place in found]


def write(pen: ImageDraw.ImageDraw, tags: Sequence[Tag], ink: Ink) -> None:
    """Draw tags over the plot."""
    for tag in tags:
        pen.rounded_rectangle(tag.box(), 3, fill=ink.ground, outline=tag.edge)
        pen.text((tag.left + _INSET, tag.middle), tag.text, fill=ink.text, font=font(_SIZE), anchor="lm")
