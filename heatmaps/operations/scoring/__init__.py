"""Score maps against what happened and keep every run as it was measured."""

from .recording import Scored, record_score
from .running import AGAINST, score
from .spans import ScoreError

__all__ = ["AGAINST", "ScoreError", "Scored", "record_score", "score"]
