"""The letters of pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.contrib.staticfiles import finders
from PIL import ImageFont

FONT: Final = "vendor/inter/inter-latin-wght-normal.woff2"


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the page's typeface, or Pillow's own where the browser packages are not installed."""
    found = finders.find(FONT)
    if found is None:
        return ImageFont.load_default(size)
    letters = ImageFont.truetype(str(found), size)
    letters.set_variation_by_axes([500])
    return letters
