"""The small part of the interface's font: the characters and weights that every page uses."""

from __future__ import annotations

import importlib.util
import io
from typing import Final

# Letters, figures and signs of our own pages; static/css/tokens.css names the same range.
CHARACTERS: Final = (
    *range(0x20, 0x7F),
    *(0xA0, 0xA9, 0xB0, 0xB1, 0xB2, 0xB7, 0xD7),
    *(0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x2122, 0x2191, 0x2193, 0x2212),
)
WEIGHTS: Final = (400.0, 400.0, 600.0)
_FEATURES: Final = ("ccmp", "kern", "tnum")
_LICENCE_NAMES: Final = (0, 1, 2, 13, 14)


def reduce(whole: bytes) -> bytes:
    """Return a variable WOFF2 font with CHARACTERS and WEIGHTS alone; the whole one where the library is missing."""
    if any(importlib.util.find_spec(name) is None for name in ("brotli", "fontTools")):
        return whole
    from fontTools.subset import Options, Subsetter  # noqa: PLC0415  # heavy, and used once a release
    from fontTools.ttLib import TTFont  # noqa: PLC0415
    from fontTools.varLib.instancer import instantiateVariableFont  # noqa: PLC0415

    font = TTFont(io.BytesIO(whole))
    chosen = Options(layout_features=list(_FEATURES), hinting=False, name_IDs=list(_LICENCE_NAMES))
    subsetter = Subsetter(chosen)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": WEIGHTS}, inplace=True)
    font.flavor = "woff2"
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()
