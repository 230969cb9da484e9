"""The heat ramps, in OKLCH: the twin of static/js/terminal/colour.js for the server's picture.

Both sides share one lightness curve, so that equal estimates look equally bright whatever the side. Amber for longs
and blue for shorts stay apart under protan, deutan and tritan colour vision.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from heatmaps.core.tile import CODES_PER_OCTAVE

Theme: TypeAlias = Literal["dark", "light"]
Rgb: TypeAlias = tuple[int, int, int]
Floats: TypeAlias = npt.NDArray[np.float64]

FADE: Final = 0.10
# How much of its colour a narrow, a medium and a wide interval loses.
SUPPRESSED: Final = (0.0, 0.5, 0.9)
GROUND: Final[dict[str, Rgb]] = {"dark": (11, 13, 17), "light": (255, 255, 255)}

_LMS: Final = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.291485548],
    ]
)
_LINEAR: Final = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)
_GAMUT: Final = 0.0006
_GAMMA_KNEE: Final = 0.0031308


def ramp(side: int, value: float, theme: Theme, width: int = 0) -> Rgb:
    """Return the colour of a value in [0, 1] on the longs' (0) or the shorts' (1) ramp.

    ``width``: the class of the interval; a wider one loses chroma and top lightness (Correll, Moritz and Heer 2018).
    """
    dark = theme == "dark"
    low, high, capped = (0.178, 0.93, 0.60) if dark else (0.985, 0.36, 0.68)
    eased, less = value ** (1.45 if dark else 1.35), SUPPRESSED[width]
    lightness = low + (high - low + (capped - high) * less * 0.62) * eased
    return oklch(lightness, _chroma(side, value, dark=dark) * (1 - less * 0.86), _hue(side, value, dark=dark))


def _hue(side: int, value: float, *, dark: bool) -> float:
    if side == 0:
        return 48 + 44 * value if dark else 78 - 34 * value
    return 262 - 52 * value if dark else 228 + 30 * value


def _chroma(side: int, value: float, *, dark: bool) -> float:
    if not dark:
        return 0.012 + (0.145 if side == 0 else 0.14) * math.sin(math.pi * value * 0.62)
    top, reach = (0.150, 0.80) if side == 0 else (0.135, 0.82)
    return 0.016 + top * math.pow(math.sin(math.pi * value * reach), 1.25)


def oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """Return sRGB bytes; chroma gives way until the colour is in gamut (Ottosson 2020)."""
    for _ in range(24):
        linear = _to_linear(lightness, chroma, hue)
        if bool(np.all((linear > -_GAMUT) & (linear < 1 + _GAMUT))):
            break
        chroma *= 0.93
    red, green, blue = (round(float(channel) * 255) for channel in _gamma(linear))
    return red, green, blue


def _to_linear(lightness: float, chroma: float, hue: float) -> Floats:
    angle = np.radians(hue)
    lab = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    return np.asarray(_LINEAR @ (_LMS @ lab) ** 3, dtype=np.float64)


def _gamma(linear: Floats) -> Floats:
    clipped = np.clip(linear, 0.0, 1.0)
    curved = 1.055 * clipped ** (1 / 2.4) - 0.055
    return np.asarray(np.where(clipped <= _GAMMA_KNEE, 12.92 * clipped, curved), dtype=np.float64)


@lru_cache(maxsize=64)
def lookup(*, theme: Theme, code_floor_usd: float, floor_usd: float, ceiling_usd: float) -> npt.NDArray[np.uint8]:
    """Return colours [side, class, code, rgb] for a range [USD per 0.1 % of price]; below the floor is ground."""
    ground = np.array(GROUND[theme], dtype=np.float64)
    table = np.tile(ground, (2, len(SUPPRESSED), 256, 1))
    span = np.log(ceiling_usd / floor_usd)
    for code in range(1, 255):
        usd = code_floor_usd * 2 ** ((code - 1) / CODES_PER_OCTAVE)
        value = float(np.log(usd / floor_usd) / span)
        if value <= 0:
            continue
        weight = min(1.0, value / FADE)
        for side, width in np.ndindex(table.shape[:2]):
            colour = np.array(ramp(side, min(1.0, value), theme, width))
            table[side, width, code] = colour * weight + ground * (1 - weight)
    return np.rint(table).astype(np.uint8)
