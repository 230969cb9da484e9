"""Structure of a price path: turning points, ranges, the value area, and where a band lies in them.

Everything is a function of a bounded past: what was said of a moment is said of it again later.
"""

from .placing import Place, Placed, Resting, place_band, resting_within
from .profile import Profile, ValueArea, value_area, volume_profile
from .ranges import SPANS, Boundary, Range, Ranges, efficiency, find_range, judge_ranges
from .swings import ATR_BARS, REVERSAL, Swing, average_true_range, swings, trailing

__all__ = [
    "ATR_BARS",
    "REVERSAL",
    "SPANS",
    "Boundary",
    "Place",
    "Placed",
    "Profile",
    "Range",
    "Ranges",
    "Resting",
    "Swing",
    "ValueArea",
    "average_true_range",
    "efficiency",
    "find_range",
    "judge_ranges",
    "place_band",
    "resting_within",
    "swings",
    "trailing",
    "value_area",
    "volume_profile",
]
