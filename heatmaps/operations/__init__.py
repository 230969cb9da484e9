"""Everything that writes heatmaps: build them forward, follow their zones."""

from .advancing import advance, advance_all
from .building import Built, build
from .publishing import ReleaseChangedError
from .reaching import judge, learn_reach, state_chances
from .standing import stand
from .summing import sum_members
from .zoning import Followed, track_all, track_zones

__all__ = [
    "Built",
    "Followed",
    "ReleaseChangedError",
    "advance",
    "advance_all",
    "build",
    "judge",
    "learn_reach",
    "stand",
    "state_chances",
    "sum_members",
    "track_all",
    "track_zones",
]
