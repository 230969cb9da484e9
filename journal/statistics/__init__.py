"""What a trader's own results show, each with its interval and its gate: pure numpy, seeded, no Django.

``intervals`` holds proportions, means and differences, ``quantiles`` what assumes no distribution, ``shapes`` what a
row of results looks like, ``courses`` its order and what may follow, ``belief`` how stated chances came out,
``controls`` the same plans at random moments, ``pooling`` many cells at once, ``gates`` what may be said of how many.
"""

from .belief import Belief, judge_belief
from .controls import Control, control
from .courses import Fan, Streaks, fan, streaks
from .gates import Gate, gate, needed_count
from .intervals import LEAST, Interval, difference_interval, mean_interval, wilson
from .pooling import discoveries, shrink, zero_chance
from .quantiles import quantile_interval
from .shapes import Shape, resampled, shape

__all__ = [
    "LEAST",
    "Belief",
    "Control",
    "Fan",
    "Gate",
    "Interval",
    "Shape",
    "Streaks",
    "control",
    "difference_interval",
    "discoveries",
    "fan",
    "gate",
    "judge_belief",
    "mean_interval",
    "needed_count",
    "quantile_interval",
    "resampled",
    "shape",
    "shrink",
    "streaks",
    "wilson",
    "zero_chance",
]
