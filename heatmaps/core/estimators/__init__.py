"""The estimators, by slug; an entry is loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from market.contracts import LiquidationRule

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


def registered_version(slug: str) -> str | None:
    """The version that is built now; None for an estimator that is not built, or not any more."""
    return load_estimator(slug).version if slug in BUILT else None


def load_estimator(slug: str, *, rule: LiquidationRule = LiquidationRule.LINEAR_MARK) -> Estimator:
    """Make the estimator of that slug for contracts liquidated by ``rule``; KeyError for an unknown slug."""
    estimator: Estimator = _make(ESTIMATORS[slug], rule)
    return estimator


def load_built(slug: str, *, rule: LiquidationRule = LiquidationRule.LINEAR_MARK) -> BuiltEstimator:
    """The same for one that is built; KeyError for every other slug."""
    if slug not in BUILT:
        raise KeyError(slug)
    estimator: BuiltEstimator = _make(ESTIMATORS[slug], rule)
    return estimator


def _make(entry: str, rule: LiquidationRule) -> Any:  # noqa: ANN401 -- the registry holds dotted strings
    module, _, attribute = entry.partition(":")
    return getattr(import_module(module), attribute)(rule=rule)
