"""What a band holds by leverage group, and what it would hold under another leverage prior.

Groups are kept apart in the state because nothing smaller can be told apart from outside. A prior enters deposits
linearly (given the closure), so under other shares of new positions each group counts by new weight / old weight, and
all of them together are scaled back to what the side holds: open interest does not change with what is assumed of it.
Within a group, and in the times when positions closed, nothing changes: a first-order answer, not another run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from .grid import bin_price
from .leverage import GROUP_LABELS, LeveragePrior, Margins, effective_tiers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .grid import Floats
    from .inventory import Inventory

# Shares of new positions at 3x, 5x, 10x, 20x, 25x, 50x, 75x, 100x and 125x: assumptions, like the prior itself.
OTHER_PRIORS: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "lower leverage": (0.30, 0.26, 0.20, 0.10, 0.06, 0.04, 0.02, 0.015, 0.005),
        "equal shares": (1.0 / 9.0,) * 9,
        "higher leverage": (0.06, 0.10, 0.16, 0.16, 0.14, 0.16, 0.08, 0.10, 0.04),
    }
)
_GROUPS: Final = len(GROUP_LABELS)


@dataclass(frozen=True, slots=True)
class Held:
    """What a side holds by leverage group, float64[group]: in a band, and at all prices [USD]."""

    band: Floats
    side: Floats

    def __add__(self, other: Held) -> Held:
        """Of two instruments together."""
        return Held(self.band + other.band, self.side + other.side)


def contracts_by_group(inventory: Inventory, *, position_side: int) -> Floats:
    """Contracts of one side (+1 longs, -1 shorts) by leverage group and place of the grid, float64[group, place]."""
    side = 0 if position_side == 1 else 1
    rows = inventory.rows[side].reshape(-1, _GROUPS, inventory.rows.shape[2]).sum(axis=0) * inventory.scale[side]
    place = np.arange(rows.shape[1])
    return np.where(place < inventory.edge[0] if side == 0 else place >= inventory.edge[1], rows, 0.0)


def held(
    inventory: Inventory, *, position_side: int, bins: tuple[int, int], width: float, contract_usd: float | None
) -> Held:
    """What an inventory holds in the bins [first, stop) and on its whole side (+1 longs, -1 shorts) [USD].

    contract_usd: the fixed worth of an inverse contract; None for linear ones, worth their liquidation price.
    """
    rows = contracts_by_group(inventory, position_side=position_side)
    at = inventory.grid_start + np.arange(rows.shape[1])
    usd = rows * (bin_price(at, width) if contract_usd is None else contract_usd)
    inside = (at >= bins[0]) & (at < bins[1])
    return Held(usd[:, inside].sum(axis=1), usd.sum(axis=1))


def under_other_priors(found: Held, *, position_side: int) -> dict[str, float]:
    """What the band would hold under each of OTHER_PRIORS [USD]."""
    old = _weights(LeveragePrior(), position_side)
    changed = {}
    for name, share in OTHER_PRIORS.items():
        factor = _weights(replace(LeveragePrior(), share=share), position_side) / old
        total = float((factor * found.side).sum())
        kept = float(found.side.sum()) / total if total > 0.0 else 1.0
        changed[name] = float((factor * found.band).sum()) * kept
    return changed


def _weights(prior: LeveragePrior, position_side: int) -> Floats:
    tiers = effective_tiers(prior, Margins())
    weight = tiers.weight[0 if position_side == 1 else 1]
    return np.bincount(tiers.group, weight, _GROUPS).astype(np.float64)
