"""Score maps against what happened and keep every run as it was measured."""

from .calibrating import calibrate_intervals, measure_doubts
from .daily import score_day, score_month
from .fitting import FIT
from .recording import Scored, record_score
from .running import AGAINST, score
from .sets import SETS
from .simulated import SIMULATOR, Judged, score_simulator
from .spans import ScoreError

__all__ = [
    "AGAINST",
    "FIT",
    "SETS",
    "SIMULATOR",
    "Judged",
    "ScoreError",
    "Scored",
    "calibrate_intervals",
    "measure_doubts",
    "record_score",
    "score",
    "score_day",
    "score_month",
    "score_simulator",
]
