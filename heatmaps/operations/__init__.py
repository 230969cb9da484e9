"""Everything that writes heatmaps: build them forward, follow their zones."""

from .building import Built, ReleaseChangedError, advance, build
from .zoning import Followed, track_zones

__all__ = ["Built", "Followed", "ReleaseChangedError", "advance", "build", "track_zones"]
