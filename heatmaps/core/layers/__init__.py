"""The context layers by slug, in the order in which pages show them and in which they rest on each other."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from .base import Hours, Kind, Layer, Level, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# slug -> dotted path of the class, loaded on use.
LAYERS: Final[Mapping[str, str]] = {
    "regime": "heatmaps.core.layers.regime.Regime",
    "funding": "heatmaps.core.layers.funding.Funding",
    "open-interest": "heatmaps.core.layers.open_interest.OpenInterest",
    "volatility": "heatmaps.core.layers.volatility.Volatility",
    "swings": "heatmaps.core.layers.swings.Swings",
    "flow": "heatmaps.core.layers.flow.Flow",
    "depth": "heatmaps.core.layers.depth.Depth",
    "accounts": "heatmaps.core.layers.accounts.Accounts",
    "crowding": "heatmaps.core.layers.crowding.Crowding",
    "range": "heatmaps.core.layers.ranges.Ranges",
    "value-area": "heatmaps.core.layers.value_area.ValueArea",
}


def load_layer(slug: str) -> Layer:
    """Return the layer of a slug. Raises KeyError."""
    module, _, name = LAYERS[slug].rpartition(".")
    return cast("Layer", getattr(import_module(module), name)())


def read(hours: Hours, *, slugs: Sequence[str] | None = None) -> dict[str, Reading]:
    """Compute layers over the hours, all of them or some with what they rest on, in the order of the registry."""
    wanted = set(LAYERS if slugs is None else slugs)
    layers = {slug: load_layer(slug) for slug in LAYERS}
    for slug in reversed(layers):
        if slug in wanted:
            wanted |= set(layers[slug].rests_on)
    found: dict[str, Reading] = {}
    for slug, layer in layers.items():
        if slug in wanted:
            found[slug] = layer.compute(hours, {name: found[name] for name in layer.rests_on})
    return found


__all__ = ["LAYERS", "Hours", "Kind", "Layer", "Level", "Reading", "load_layer", "read"]
