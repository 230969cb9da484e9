"""The estimators, by slug; an entry is loaded when it is first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from market.terms import LINEAR, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import BuiltEstimator, Estimator

_HERE: Final = "heatmaps.core.estimators"
# The first is the one that pages show.
ESTIMATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open-interest": f"{_HERE}.open_interest:OpenInterest",
        "path-only": f"{_HERE}.path_only:PathOnly",
        "uniform": f"{_HERE}.uniform:Uniform",
        "ladder": f"{_HERE}.ladders:StaticLadder",
        "pivots": f"{_HERE}.ladders:PivotLadder",
        "candle-colour": f"{_HERE}.interest_change:CandleColour",
        "interest-change": f"{_HERE}.interest_change:ProportionalRemoval",
        "turnover": f"{_HERE}.interest_change:TurnoverHalfLife",
        "volume-profile": f"{_HERE}.volume_profile:VolumeProfile",
        "climatology": f"{_HERE}.remembered:Climatology",
        "yesterday": f"{_HERE}.remembered:Yesterday",
    }
)
# Those that are built for every instrument; the others are estimated where they are scored or drawn (decision 0015).
BUILT: Final = ("open-interest", "path-only")

# Releases that are not built any more, by slug and version: old figures are reproduced with them.
FORMER: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("open-interest", "1"): "heatmaps.core.estimators.open_interest:OpenInterest1",
        ("path-only", "1"): "heatmaps.core.estimators.path_only:PathOnly1",
    }
)
# All of them by name: slug, and slug@version for the former releases.
NAMES: Final = (*sorted(ESTIMATORS), *sorted(f"{slug}@{version}" for slug, version in FORMER))


def registered_version(slug: str) -> str | None:
    """The version that is built now; None for an estimator that is not built, or not any more."""
    return str(_find(slug, None).version) if slug in BUILT else None


def load_estimator(slug: str, *, terms: Terms = LINEAR, version: str | None = None) -> Estimator:
    """Make the estimator of that slug for contracts under ``terms``; KeyError for an unknown slug or version.

    version: a former one; None for the one that is built now.
    """
    estimator: Estimator = _make(slug, terms, version)
    return estimator


def load_named(name: str, *, terms: Terms = LINEAR) -> Estimator:
    """The same by a name of NAMES."""
    slug, _, version = name.partition("@")
    return load_estimator(slug, terms=terms, version=version or None)


def load_built(slug: str, *, terms: Terms = LINEAR, version: str | None = None) -> BuiltEstimator:
    """The same for one that is built; KeyError for every other slug."""
    if slug not in BUILT:
        raise KeyError(slug)
    estimator: BuiltEstimator = _make(slug, terms, version)
    return estimator


@cache
def tracked() -> tuple[str, ...]:
    """The slugs of those whose zones are followed."""
    return tuple(slug for slug in BUILT if _find(slug, None).tracks_zones)


def _make(slug: str, terms: Terms, version: str | None) -> Any:  # noqa: ANN401 -- the registry holds dotted strings
    return _find(slug, version)(terms=terms)


def _find(slug: str, version: str | None) -> Any:  # noqa: ANN401 -- the registry holds dotted strings
    module, _, attribute = (ESTIMATORS[slug] if version is None else FORMER[slug, version]).partition(":")
    return getattr(import_module(module), attribute)
