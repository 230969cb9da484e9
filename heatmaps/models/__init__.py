"""What we infer from the market, as tables. Every row names the frozen estimator it came from."""

from .maps import EstimatorRelease, Heatmap, Snapshot, SummedStrip, Tile
from .reach import Outcome, Reach, Statement
from .scores import ScoreRun
from .zones import Zone

__all__ = [
    "EstimatorRelease",
    "Heatmap",
    "Outcome",
    "Reach",
    "ScoreRun",
    "Snapshot",
    "Statement",
    "SummedStrip",
    "Tile",
    "Zone",
]
