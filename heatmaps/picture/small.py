"""A picture small enough to stand among many: heat, candles, bands and the last price; the page says the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

from . import INKS, Frame, _candles, _encode, price_range
from .heat import filled, paint

if TYPE_CHECKING:
    from heatmaps.palette import Theme

    from . import Scene

# Twice the size it is shown at, so that it is sharp on fine screens [pixels].
WIDTH: Final = 640
HEIGHT: Final = 340
_NOW_SHARE: Final = 0.05


def draw_small(*, scene: Scene, theme: Theme) -> bytes:
    """Return a PNG of WIDTH by HEIGHT without any text."""
    ink = INKS[theme]
    bottom, top = price_range(scene.bars)
    frame = Frame(WIDTH, HEIGHT, top, bottom, WIDTH * (1 - _NOW_SHARE) / len(scene.bars))
    image = Image.new("RGB", (WIDTH, HEIGHT), ink.ground)
    if scene.codes is not None and scene.colours is not None:
        image.paste(Image.fromarray(paint(scene, frame, ink)), (0, 0))
    pen = ImageDraw.Draw(image, "RGBA")
    for band in scene.zones:
        colour = ink.longs if band.is_long else ink.shorts
        upper, lower = max(0.0, frame.y(band.high)), min(float(HEIGHT - 1), frame.y(band.low))
        if upper < lower:
            pen.rectangle([max(0.0, frame.x(band.start)), upper, WIDTH - 1, lower], outline=colour)
    _candles(pen, scene.bars, frame, ink)
    y = frame.y(float(filled(scene.bars[:, 3])[-1]))
    pen.line([(0, y), (WIDTH, y)], fill=(*ink.faint, 150))
    return _encode(image)
