"""The estimators, by slug; an entry is loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from market.contracts import LiquidationRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Estimator

# The first is the one that pages show.
ESTIMATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open-interest": "heatmaps.core.estimators.open_interest:OpenInterest",
        "path-only": "heatmaps.core.estimators.path_only:PathOnly",
    }
)


def registered_version(slug: str) -> str | None:
    """The version that is built now; None for an estimator that is not in the registry any more."""
    return load_estimator(slug).version if slug in ESTIMATORS else None


def load_estimator(slug: str, *, rule: LiquidationRule = LiquidationRule.LINEAR_MARK) -> Estimator:
    """Make the estimator of that slug for contracts liquidated by ``rule``; KeyError for an unknown slug."""
    module, _, attribute = ESTIMATORS[slug].partition(":")
    factory = getattr(import_module(module), attribute)
    estimator: Estimator = factory(rule=rule)
    return estimator
