"""What is written down when a zone forms, once and for ever, as canonical JSON with its SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps.core.doubts import NAME
from heatmaps.core.sums import numbers_of
from heatmaps.queries import decimal_text
from market.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.core.clusters import Cluster
    from heatmaps.core.doubts import Doubt
    from heatmaps.core.sums import Shares
    from heatmaps.core.tile import Codes
    from heatmaps.models import Heatmap, Zone
    from market.queries import Member

SCHEMA: Final = "bh-zone-evidence-1"
# Bins shown on each side of the band in the frozen picture.
_AROUND: Final = 40


@dataclass(frozen=True, slots=True)
class Formation:
    """A zone at the moment it formed: its row, its cluster, and the column it stood out of."""

    heatmap: Heatmap
    row: Zone
    cluster: Cluster
    rests_on: np.void
    first_bin: int
    codes: Codes
    members: list[dict[str, Any]]
    doubt: Doubt


def freeze(formation: Formation) -> tuple[dict[str, Any], str]:
    """The evidence and the SHA-256 of its canonical JSON. Numbers are text: every reader then hashes the same bytes."""
    row, heatmap, rests_on = formation.row, formation.heatmap, formation.rests_on
    close = float(rests_on["close"])
    interest = float(rests_on["open_interest"])
    evidence: dict[str, Any] = {
        "schema": SCHEMA,
        "instrument": heatmap.instrument.key,
        "is_simulated": "yes" if heatmap.instrument.is_simulated else "no",
        "estimator": heatmap.release.slug,
        "version": heatmap.release.version,
        "parameters_sha256": heatmap.release.digest,
        "input_sha256": bytes(rests_on["digest"]).hex(),
        "zone": row.label,
        "position_side": "long" if row.position_side == 1 else "short",
        "formed_at": row.born_at.isoformat(),
        "price_low": decimal_text(row.price_low),
        "price_high": decimal_text(row.price_high),
        "price_peak": decimal_text(row.price_peak),
        "usd": decimal_text(row.usd),
        "usd_low": decimal_text(row.usd_low),
        "usd_high": decimal_text(row.usd_high),
        "interval": "80 %, calibrated on simulated markets",
        "widened": _widened(formation.doubt),
        "price_at_formation": decimal_text(close),
        "distance_pct": decimal_text((row.price_peak / close - 1.0) * 100.0),
        "open_interest": decimal_text(interest),
        "allocated_share": decimal_text(float(rests_on["total"]) / interest),
        "picture": _picture(formation),
    }
    if formation.members:
        evidence["members"] = formation.members
    return evidence, digest(evidence)


def _widened(doubt: Doubt) -> dict[str, str]:
    """By which rule the interval was made wider, and from what (heatmaps.core.doubts)."""
    return {
        "rule": NAME,
        "mean_step_minutes": decimal_text(5.0 * doubt.slots),
        "last_price_share": decimal_text(doubt.last_price),
        "share_on_the_map": decimal_text(doubt.whole),
        "spread": decimal_text(doubt.spread),
        "stretch": decimal_text(doubt.stretch),
    }


def freeze_members(members: Sequence[Member], record: np.void, shares: Shares) -> list[dict[str, Any]]:
    """Who was in the column of a pair that a zone stood out of, with which share of the heat; and who was missing."""
    present, expected = (numbers_of(int(record[name])) for name in ("present", "expected"))
    heat = shares["longs"].astype(np.float64) + shares["shorts"]
    whole = float(np.nansum(heat))
    return [
        {
            "instrument": one.instrument.key,
            "is_in": "yes" if one.number in present else "no",
            "share_pct": decimal_text(100.0 * float(heat[one.number]) / whole) if one.number in present else None,
            "open_interest_usd": (
                decimal_text(float(shares["open_interest"][one.number])) if one.number in present else None
            ),
        }
        for one in members
        if one.number in present or one.number in expected
    ]


def _picture(formation: Formation) -> dict[str, Any]:
    """The codes of the slice around the band, enough to draw it again without the map."""
    low = max(formation.cluster.low - _AROUND - formation.first_bin, 0)
    high = min(formation.cluster.high + _AROUND - formation.first_bin, len(formation.codes))
    return {
        "bin_lo": formation.first_bin + low,
        "bin_bps": decimal_text(formation.heatmap.bin_bps),
        "code_floor_usd": decimal_text(formation.heatmap.code_floor_usd),
        "codes": formation.codes[low:high].tolist(),
    }
