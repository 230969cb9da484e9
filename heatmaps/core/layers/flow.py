"""Order flow: who crossed the spread, and whether that went along with the last turns of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from heatmaps.core.structure import trailing

from .base import DAY, Hours, Kind, Level, Need, Reading, gauge, short_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.core.grid import Floats


@dataclass(frozen=True, slots=True)
class Flow:
    """Cumulative volume delta of 24 hours, taker buys less taker sells, as a share of volume [%]."""

    slug: ClassVar[str] = "flow"
    title: ClassVar[str] = "Taker flow"
    kind: ClassVar[Kind] = "gauge"
    unit: ClassVar[str] = "%"
    note: ClassVar[str] = "of 24h volume"
    digits: ClassVar[int] = 1
    is_signed: ClassVar[bool] = True
    rule: ClassVar[str] = "Taker buys less taker sells of 24 h, as a share of volume."
    needs: ClassVar[tuple[Need, ...]] = ("bars",)
    rests_on: ClassVar[tuple[str, ...]] = ("swings",)
    states: ClassVar[tuple[str, ...]] = ()

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:
        """Return the share at each hour; ``numbers`` hold what was traded between the last two highs and lows."""
        delta = 2.0 * hours.taker_buy_volume - hours.volume
        bought, traded = trailing(delta, DAY).sum(axis=1), trailing(hours.volume, DAY).sum(axis=1)
        share = 100.0 * np.divide(bought, traded, out=np.full(len(hours), np.nan), where=traded > 0)
        found = gauge(share, reason=_reason(hours), series={"delta": delta})
        turns = known["swings"].levels
        numbers = _between("highs", [one for one in turns if one.is_strong], hours, delta)
        numbers |= _between("lows", [one for one in turns if not one.is_strong], hours, delta)
        return Reading(found.values, found.percentiles, found.known, numbers, found.series, reason=found.reason)


def _reason(hours: Hours) -> str:
    if len(hours) == 0 or np.isnan(hours.taker_buy_volume[-1]):
        return "takers' side is not reported"
    return "no volume in 24 h" if not hours.volume[-DAY:].any() else short_of(DAY)


def _between(name: str, turns: list[Level], hours: Hours, delta: Floats) -> dict[str, float]:
    """How far the price and the delta moved from the last but one turn to the last; empty where a part is unknown.

    A divergence: one rose and the other fell.
    """
    if len(turns) < 2:  # noqa: PLR2004  # a distance has two ends
        return {}
    first, last = turns[-2:]
    between = (hours.ends > first.from_ms) & (hours.ends <= last.from_ms)
    traded = float(hours.volume[between].sum())
    flow = float(delta[between].sum())
    if not traded > 0 or np.isnan(flow):
        return {}
    moved = 100.0 * (last.high / first.high - 1.0)
    return {
        f"{name}_price_pct": moved,
        f"{name}_delta_pct": 100.0 * flow / traded,
        f"{name}_diverge": float(moved * flow < 0),
    }
