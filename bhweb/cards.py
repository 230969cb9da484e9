"""The picture that stands for an article where its address is shared: words and the mark, no made-up map."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final, NamedTuple

from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

SIZE: Final = (1200, 630)
FONT: Final = "vendor/inter/inter-latin-wght-normal.woff2"
_GROUND, _LINE = (9, 11, 14), (42, 49, 58)
_TEXT, _QUIET = (233, 236, 240), (164, 173, 184)
_LONGS, _SHORTS = (230, 165, 74), (98, 174, 242)
_LEFT, _RIGHT = 80, 1120


@lru_cache(maxsize=64)
def draw(*, title: str, line: str) -> bytes:
    """Return a PNG with a title of up to four lines and a line of up to three below it."""
    image = Image.new("RGB", SIZE, _GROUND)
    pen = ImageDraw.Draw(image)
    _mark(pen)
    y = _paragraph(pen, title, 190, _Type(58, 4, _TEXT))
    _paragraph(pen, line, y + 22, _Type(30, 3, _QUIET))
    pen.line([(_LEFT, 552), (_RIGHT, 552)], fill=_LINE, width=2)
    pen.text((_LEFT, 582), "Estimates, not exchange data", fill=_QUIET, font=_font(24), anchor="lm")
    stream = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _mark(pen: ImageDraw.ImageDraw) -> None:
    for row, (width, ink) in enumerate(((44, _SHORTS), (72, _TEXT), (56, _LONGS))):
        pen.rectangle([_LEFT, 86 + row * 20, _LEFT + width, 93 + row * 20], fill=ink)
    pen.text((_LEFT + 96, 110), "BH Terminal", fill=_TEXT, font=_font(34), anchor="lm")


class _Type(NamedTuple):
    size: int
    most_lines: int
    ink: tuple[int, int, int]


def _paragraph(pen: ImageDraw.ImageDraw, text: str, y: int, of: _Type) -> int:
    """Set a text in lines that fit; return where it ends. What does not fit ends in three dots."""
    font, most = _font(of.size), of.most_lines
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer, font=font) <= _RIGHT - _LEFT:
            lines[-1] = longer
        else:
            lines.append(word)
    shown = lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]
    step = round(of.size * 1.25)
    for number, line in enumerate(shown):
        pen.text((_LEFT, y + number * step), line, fill=of.ink, font=font)
    return y + len(shown) * step


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the page's typeface, or Pillow's own where the browser packages are not installed."""
    path = finders.find(FONT)
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
