"""Which leverage the levels of a map belong to, from the newest state of its estimator that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.estimators import BUILT, load_built, registered_version
from heatmaps.core.groups import contracts_by_group
from heatmaps.core.leverage import GROUP_LABELS
from heatmaps.models import Snapshot
from market import queries as market

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.core.grid import Floats
    from heatmaps.core.inventory import Inventory
    from heatmaps.models import Heatmap

# Bins that are told as one.
COARSE: Final = 8
# Where prices are told of: so far to either side of the last one [ln].
_REACH: Final = 0.3


@dataclass(frozen=True, slots=True)
class LeverageShares:
    """At a moment, shares float64[group, n] of ``labels`` in n runs of COARSE bins from ``first * COARSE`` up.

    A run in which nothing is open holds zeros.
    """

    at: dt.datetime
    first: int
    shares: Floats
    labels: tuple[str, ...] = GROUP_LABELS


def leverage_shares(*, heatmap: Heatmap, close: float, at: dt.datetime | None = None) -> LeverageShares | None:
    """Return the shares around a price, of the newest kept state by a moment.

    None where none is kept (a sum of members keeps none) or its estimator is no longer the registered one.
    """
    slug, version = heatmap.release.slug, heatmap.release.version
    if slug not in BUILT or version != registered_version(slug):
        return None
    snapshots = Snapshot.objects.filter(heatmap=heatmap, **({"step_at__lte": at} if at else {}))
    newest = snapshots.order_by("-step_at").first()
    if newest is None:
        return None
    estimator = load_built(slug, terms=market.load_terms(instrument=heatmap.instrument))
    inventory = estimator.resume(bytes(newest.body)).inventory
    centre = round(np.log(close) / (heatmap.bin_bps * 1e-4 * COARSE))
    reach = round(_REACH / (heatmap.bin_bps * 1e-4 * COARSE))
    first = centre - reach
    sums = _by_group(inventory, first * COARSE, 2 * reach * COARSE).reshape(len(GROUP_LABELS), -1, COARSE).sum(axis=2)
    whole = sums.sum(axis=0)
    return LeverageShares(newest.step_at, first, sums / np.where(whole > 0, whole, 1.0))


def _by_group(inventory: Inventory, first_bin: int, count: int) -> Floats:
    """Return contracts per leverage group and absolute bin, both sides; none off the inventory's grid."""
    rows = contracts_by_group(inventory, position_side=1) + contracts_by_group(inventory, position_side=-1)
    start, size = first_bin - inventory.grid_start, rows.shape[1]
    low, high = max(0, start), min(size, start + count)
    found = np.zeros((len(GROUP_LABELS), count))
    if low < high:
        found[:, low - start : high - start] = rows[:, low:high]
    return found
