"""Write down where an instrument stands, once for each committed column, for tables that list many."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction

from heatmaps.core.layers import load_layer
from heatmaps.core.layers.base import DAY
from heatmaps.models import Standing
from heatmaps.queries import (
    NEAR_PCT,
    chances_of,
    get_heatmap,
    latest_slice,
    living_zones,
    member_shares,
    reachability,
    read_layers,
    standing_edge,
    within_distance,
)
from market.queries import stored_span
from market.queries.completeness import completeness
from market.series import HOUR_MS, epoch_ms, moment

from . import storing

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from heatmaps.queries import LayerView

_WEEK: Final = dt.timedelta(days=7)
_FIVE_MINUTES: Final = 300
_REASON: Final = 200


def stand(*, instrument_id: int, now: dt.datetime) -> Standing | None:
    """Write where an instrument stands at its newest committed column; None without one. Repeating it adds nothing.

    What comes from complete hours is read anew when an hour has passed.
    """
    with transaction.atomic():
        storing.lock(purpose="stand", instrument_id=instrument_id)
        heatmap = get_heatmap(instrument_id=instrument_id)
        as_of = standing_edge(heatmap) if heatmap else None
        if heatmap is None or as_of is None:
            return None
        before = Standing.objects.filter(instrument_id=instrument_id).first()
        if before is not None and before.as_of >= as_of and before.heatmap_id == heatmap.pk:
            return before
        values = {"heatmap": heatmap, "as_of": as_of} | _near(heatmap, as_of) | _chances(heatmap, now)
        values["coverage_pct"] = _coverage(heatmap, as_of, now)
        hour = moment(epoch_ms(as_of) // HOUR_MS * HOUR_MS)
        if before is None or before.hour_at != hour:
            values |= _context(read_layers(instrument=heatmap.instrument, at=hour, slugs=["crowding"]))
        standing, _ = Standing.objects.update_or_create(instrument_id=instrument_id, defaults=values)
        return standing


def _near(heatmap: Heatmap, as_of: dt.datetime) -> dict[str, float | None]:
    """Estimates within 5 % of the column's close; nothing of a gap, which is no zero."""
    column = latest_slice(heatmap=heatmap, at=as_of)
    names = [f"{side}_{what}" for side in ("longs", "shorts") for what in ("usd", "low", "high")]
    if column is None:
        return {"price": None, **dict.fromkeys(names)}
    sides = within_distance(slice=column, close=column.close, pct=NEAR_PCT)
    amounts = [amount for side in sides for amount in (side.usd, side.low, side.high)]
    return {"price": column.close, **dict(zip(names, map(float, amounts), strict=True))}


def _chances(heatmap: Heatmap, now: dt.datetime) -> dict[str, Any]:
    """Chances of a touch of every living zone that the price is not in, as of the newest five-minute bar."""
    span = stored_span(instrument_id=heatmap.instrument_id)
    assert span is not None  # standing_edge() looked
    found = reachability(instrument_id=heatmap.instrument_id, at=min(span[1], now))
    if found.price is None:
        return {"chances": {}, "refused": found.refused}
    living = living_zones(heatmap_ids=[heatmap.pk])[heatmap.pk]
    stated = chances_of(zones=living, found=found, price=found.price)
    chances = {pk: {name: round(chance, 4) for name, chance in row.items()} for pk, row in stated.items()}
    return {"chances": chances, "refused": found.refused}


def _coverage(heatmap: Heatmap, as_of: dt.datetime, now: dt.datetime) -> float | None:
    """Of a pair, the open interest of the members that are in the column; else how much of a week's bars is stored."""
    if heatmap.instrument.is_pair:
        shares = member_shares(heatmap=heatmap, now=now, at=as_of)
        return shares.coverage_pct if shares else None
    span = (as_of - _WEEK, as_of)
    week = completeness(instrument=heatmap.instrument, series="bars", span=span, timeframe=_FIVE_MINUTES)
    return 100.0 * week.share


def _context(view: LayerView) -> dict[str, Any]:
    crowding, funding, interest = (view.readings[slug] for slug in ("crowding", "funding", "open-interest"))
    word = _known(crowding.values)
    level = interest.series["level_percentile"]
    return {
        "hour_at": view.at,
        "crowding": "" if word is None else load_layer("crowding").states[int(word)],
        "crowding_reason": crowding.reason[:_REASON] if word is None else "",
        "funding_pct": _known(funding.values),
        "funding_percentile": _known(funding.percentiles) if not funding.reason else None,
        "funding_days": int(_known(funding.known) or 0) // DAY,
        "funding_reason": funding.reason[:_REASON],
        "interest_percentile": _known(level),
        "interest_days": int(interest.numbers.get("level_hours", 0)) // DAY,
        "interest_reason": "" if _known(level) is not None else interest.reason[:_REASON],
    }


def _known(values: np.ndarray[Any, Any]) -> float | None:
    newest = float(values[-1]) if len(values) else np.nan
    return newest if np.isfinite(newest) else None
