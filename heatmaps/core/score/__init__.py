"""Scores: what was claimed held against what came, each with its null and its interval."""

from .chances import (
    Bin,
    Interval,
    Murphy,
    brier,
    calibration_error,
    murphy,
    reliability,
    skill,
    wilson,
)
from .figures import Figure

__all__ = [
    "Bin",
    "Figure",
    "Interval",
    "Murphy",
    "brier",
    "calibration_error",
    "murphy",
    "reliability",
    "skill",
    "wilson",
]
