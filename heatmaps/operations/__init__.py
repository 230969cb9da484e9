"""Everything that writes heatmaps: build them forward, follow their zones."""

from .advancing import advance
from .building import Built, build
from .publishing import ReleaseChangedError
from .zoning import Followed, track_zones

__all__ = ["Built", "Followed", "ReleaseChangedError", "advance", "build", "track_zones"]
