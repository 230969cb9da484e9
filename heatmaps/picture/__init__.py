"""The map as a PNG, for readers without scripts and for the moment before the chart stands.

Drawing alone: arrays and words in, bytes out. ``heatmaps.pages.still`` gathers them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from . import caption, labels
from .fonts import font
from .heat import filled, paint

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.palette import Rgb, Theme

    Floats = npt.NDArray[np.float64]

AXIS_WIDTH: Final = 74
AXIS_HEIGHT: Final = 24
COLOURS: Final = 256
_LABEL_GAP: Final = 46
_LABEL_ROOM: Final = 12
# From the last price, whose label is a box, to the next one.
_LAST_ROOM: Final = 20
_TIME_GAP: Final = 120
_NOW_SHARE: Final = 0.07


@dataclass(frozen=True, slots=True)
class Ink:
    """The theme's colours, as in static/css/tokens.css."""

    ground: Rgb
    text: Rgb
    faint: Rgb
    line: Rgb
    longs: Rgb
    shorts: Rgb
    up: Rgb
    down: Rgb
    edge: Rgb
    hatch: Rgb


INKS: Final[dict[str, Ink]] = {
    "dark": Ink(
        (11, 13, 17), (233, 236, 240), (124, 134, 145), (42, 49, 58), (230, 165, 74), (98, 174, 242),
        (241, 243, 246), (23, 28, 35), (207, 213, 221), (41, 44, 49),
    ),
    "light": Ink(
        (255, 255, 255), (20, 24, 29), (95, 105, 116), (211, 217, 223), (154, 90, 0), (27, 95, 180),
        (255, 255, 255), (32, 38, 46), (32, 38, 46), (222, 223, 223),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Band:
    """A zone as a box: from bar ``start`` on, between two prices."""

    start: int
    low: float
    high: float
    is_long: bool
    label: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What the picture shows.

    ``bars`` is [n, 4] open, high, low, close with NaN rows for holes; ``codes`` is [bins, n], one column a bar, or
    None where there is no map; a column without data holds GAP. Its first bin is ``bin_lo`` on a grid ``bin_width``
    wide in ln(price).
    """

    title: str
    caption: str
    digits: int
    bars: Floats
    times: list[str]
    codes: npt.NDArray[np.uint8] | None
    bin_lo: int
    bin_width: float
    # By side, class of the interval, and code.
    colours: npt.NDArray[np.uint8] | None
    # First and last code of the colour scale, and the amounts they stand for.
    scale_codes: tuple[int, int]
    scale_text: tuple[str, str]
    zones: tuple[Band, ...]
    # What is wrong with the newest column; empty where nothing is.
    notice: str = ""
    # Prices of structure: label, price, whether it is drawn solid.
    lines: tuple[tuple[str, float, bool], ...] = ()
    # How wide intervals are: the number of each bar's table, and classes by [table, side, bins from the close].
    tables: npt.NDArray[np.int64] | None = None
    classes: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where prices and bars fall on the plot [pixels]."""

    width: int
    height: int
    top: float
    bottom: float
    spacing: float

    def y(self, price: float) -> float:
        """Return a price's height; the axis is linear, as in the chart."""
        return (self.top - price) / (self.top - self.bottom) * self.height

    def x(self, index: float) -> float:
        """Return the left edge of a bar."""
        return index * self.spacing


def price_range(bars: Floats) -> tuple[float, float]:
    """Return the plot's lowest and highest price: the bars with room for the heat around them."""
    low, high = float(np.nanmin(bars[:, 2])), float(np.nanmax(bars[:, 1]))
    middle = (low + high) / 2
    half = max((high - low) / 2 * 1.5, middle * 0.034)
    return middle - half, middle + half


def draw(*, scene: Scene, theme: Theme, width: int, height: int) -> bytes:
    """Return a PNG with a palette of 256 colours."""
    ink = INKS[theme]
    rows = caption.rows_of(scene, width)
    plot_height = height - AXIS_HEIGHT - len(rows) * caption.ROW
    bottom, top = price_range(scene.bars)
    spacing = (width - AXIS_WIDTH) * (1 - _NOW_SHARE) / len(scene.bars)
    frame = Frame(width - AXIS_WIDTH, plot_height, top, bottom, spacing)
    image = Image.new("RGB", (width, height), ink.ground)
    if scene.codes is not None and scene.colours is not None:
        image.paste(Image.fromarray(paint(scene, frame, ink)), (0, 0))
    pen = ImageDraw.Draw(image, "RGBA")
    for line in scene.lines:
        if bottom < line[1] < top:
            _line(pen, line, frame, ink)
    for band in scene.zones:
        _zone(pen, band, frame, ink)
    _candles(pen, scene.bars, frame, ink)
    labels.write(pen, labels.tags_of(scene, frame, ink), ink)
    _axes(pen, scene, frame, ink)
    caption.write(pen, scene, rows, (width, height), ink)
    if scene.notice:
        _notice(pen, scene.notice, ink)
    return _encode(image)


def _encode(image: Image.Image) -> bytes:
    flat = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    flat.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _candles(pen: ImageDraw.ImageDraw, bars: Floats, frame: Frame, ink: Ink) -> None:
    half = max(0.0, frame.spacing * 0.5 - 0.9)
    for index, (open_, high, low, close) in enumerate(bars):
        if not np.isfinite(close):
            continue
        middle = round(frame.x(index + 0.5))
        pen.line([(middle, frame.y(high)), (middle, frame.y(low))], fill=ink.edge)
        if half < 1:
            continue
        upper, lower = frame.y(max(open_, close)), frame.y(min(open_, close))
        body = [middle - half, upper, middle + half, max(lower, upper + 1)]
        pen.rectangle(body, fill=ink.up if close >= open_ else ink.down, outline=ink.edge)


def _zone(pen: ImageDraw.ImageDraw, band: Band, frame: Frame, ink: Ink) -> None:
    left, colour = max(0.0, frame.x(band.start)), ink.longs if band.is_long else ink.shorts
    if labels.is_seen(band, frame):
        # An edge beyond the plot is drawn where the axis of times will cover it.
        box = [left, frame.y(band.high), frame.width - 1, min(frame.y(band.low), frame.height + 1)]
        pen.rectangle(box, outline=colour, fill=(*colour, 26))


def _line(pen: ImageDraw.ImageDraw, line: tuple[str, float, bool], frame: Frame, ink: Ink) -> None:
    _, price, is_strong = line
    y = frame.y(price)
    dash, step = (frame.width, frame.width) if is_strong else (5, 9)
    for left in range(0, frame.width, step):
        pen.line([(left, y), (min(left + dash, frame.width), y)], fill=(*ink.text, 150))


def _axes(pen: ImageDraw.ImageDraw, scene: Scene, frame: Frame, ink: Ink) -> None:
    pen.rectangle([frame.width, 0, frame.width + AXIS_WIDTH, frame.height], fill=ink.ground)
    pen.rectangle([0, frame.height, frame.width + AXIS_WIDTH, frame.height + AXIS_HEIGHT], fill=ink.ground)
    last = float(filled(scene.bars[:, 3])[-1])
    for price in _ticks(frame):
        height = frame.y(price)
        if abs(height - frame.y(last)) > _LAST_ROOM and _LABEL_ROOM < height < frame.height - _LABEL_ROOM:
            pen.text((frame.width + 8, height), _price(price, scene.digits), fill=ink.faint, font=font(11), anchor="lm")
    y = frame.y(last)
    pen.line([(0, y), (frame.width, y)], fill=(*ink.faint, 120))
    pen.rectangle([frame.width, y - 9, frame.width + AXIS_WIDTH, y + 9], fill=ink.faint)
    pen.text((frame.width + 8, y), _price(last, scene.digits), fill=ink.ground, font=font(11), anchor="lm")
    now = frame.x(len(scene.bars))
    pen.line([(now, 0), (now, frame.height)], fill=(*ink.text, 76))
    every = max(1, round(_TIME_GAP / frame.spacing))
    for index in range(every // 2, len(scene.times), every):
        pen.text((frame.x(index), frame.height + 12), scene.times[index], fill=ink.faint, font=font(11), anchor="mm")


def _price(value: float, digits: int) -> str:
    return f"{value:,.{0 if value >= 1000 else digits}f}"  # noqa: PLR2004  # as in the chart's axis


def _ticks(frame: Frame) -> Floats:
    """Return round prices at least a label apart."""
    least = (frame.top - frame.bottom) / frame.height * _LABEL_GAP
    decade = 10 ** np.floor(np.log10(least))
    step = decade * next(factor for factor in (1, 2, 5, 10) if factor * decade >= least)
    return np.arange(np.ceil(frame.bottom / step) * step, frame.top, step)


def _notice(pen: ImageDraw.ImageDraw, text: str, ink: Ink) -> None:
    pen.rounded_rectangle([8, 8, 24 + pen.textlength(text, font=font(11)), 28], 3, fill=ink.ground, outline=ink.text)
    pen.text((16, 18), text, fill=ink.text, font=font(11), anchor="lm")
