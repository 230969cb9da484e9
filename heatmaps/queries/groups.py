"""What a zone holds by leverage group: the state behind the map, rebuilt from its last snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from heatmaps.core.estimators import load_built, registered_version
from heatmaps.core.grid import bin_width
from heatmaps.core.groups import Held, held, under_other_priors
from heatmaps.core.leverage import GROUP_LABELS
from heatmaps.models import Snapshot
from market.contracts import in_contracts
from market.queries import load_terms, load_window
from market.series import moment

from .members import member_maps

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.models import Heatmap, Zone


@dataclass(frozen=True, slots=True)
class Attribution:
    """A zone's amount by leverage group, (label, USD), and in all under other priors, (name, USD); as of ``at``."""

    at: dt.datetime
    groups: tuple[tuple[str, float], ...]
    others: tuple[tuple[str, float], ...]

    @property
    def usd(self) -> float:
        """All groups together [USD]."""
        return sum(usd for _, usd in self.groups)


def attribution(*, zone: Zone) -> Attribution | None:
    """Return what a living zone holds now, by group; None of one that ended, or where the state is not kept."""
    heatmap = zone.heatmap
    through = heatmap.built_through
    if not zone.is_alive or through is None:
        return None
    is_pair = heatmap.instrument.is_pair
    maps = [one.heatmap for one in member_maps(pair_id=heatmap.instrument_id)] if is_pair else [heatmap]
    found = [part for one in maps if one is not None and (part := _held(one, zone, through)) is not None]
    if not found:
        return None
    whole = reduce(add, found)
    others = under_other_priors(whole, position_side=zone.position_side)
    return Attribution(through, tuple(zip(GROUP_LABELS, whole.band.tolist(), strict=True)), tuple(others.items()))


def _held(heatmap: Heatmap, zone: Zone, until: dt.datetime) -> Held | None:
    release, instrument = heatmap.release, heatmap.instrument
    kept = Snapshot.objects.filter(heatmap=heatmap, step_at__lte=until).order_by("-step_at").first()
    if kept is None or release.version != registered_version(release.slug):
        return None
    estimator = load_built(release.slug, terms=load_terms(instrument=instrument))
    state = estimator.resume(bytes(kept.body))
    contract_usd = instrument.contract_size if instrument.contract_type == "inverse" else None
    since = moment(state.through_ms)
    if since < until:
        window = load_window(instrument_id=instrument.pk, since=since, until=until, beside=estimator.reads)
        window = window if contract_usd is None else in_contracts(window, contract_usd)
        state = estimator.estimate(window, state).state or state
    width = bin_width(heatmap.bin_bps)
    low, high = np.rint(np.log([zone.price_low, zone.price_high]) / width).astype(int).tolist()
    return held(
        state.inventory, position_side=zone.position_side, bins=(low, high), width=width, contract_usd=contract_usd
    )
