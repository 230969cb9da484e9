"""What we infer from the market, as tables. Every row names the frozen estimator it came from."""

from .maps import EstimatorRelease, Head, Heatmap, Snapshot, SummedStrip, Tile
from .reach import Outcome, Reach, Statement
from .scores import ScoreRun
from .standing import Standing
from .zones import ALIVE, STATE_FIELDS, Zone, ZoneEvent, ZoneTracking

__all__ = [
    "ALIVE",
    "STATE_FIELDS",
    "EstimatorRelease",
    "Head",
    "Heatmap",
    "Outcome",
    "Reach",
    "ScoreRun",
    "Snapshot",
    "Standing",
    "Statement",
    "SummedStrip",
    "Tile",
    "Zone",
    "ZoneEvent",
    "ZoneTracking",
]
