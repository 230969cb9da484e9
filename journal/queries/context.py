"""What stands around a plan now, to be frozen when it is armed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from heatmaps import queries as heatmap_queries
from journal.queries.exposure import Exposure, expose
from journal.queries.plans import plain
from market import queries as market_queries
from market.series import epoch_ms

if TYPE_CHECKING:
    import numpy as np

    from journal.models import Plan
    from market.canonical import Json

_RECENT: Final = dt.timedelta(minutes=5)
_FUNDING_AGE: Final = dt.timedelta(hours=9)
_MARK: Final = 1
_DAY: Final = dt.timedelta(days=1)
_CLOSES_S: Final = 900
# So far around the zone the picture reaches [fraction of price].
_AROUND: Final = 0.03


@dataclass(frozen=True, slots=True)
class Context:
    """The market, the layers and the risk of a plan, each as JSON keeps it, and the further zones."""

    market: dict[str, Json]
    layers: dict[str, Any]
    picture: dict[str, Any]
    risk: dict[str, Json]
    more_zones: list[Any]
    exposure: Exposure


def read_context(*, plan: Plan, now: dt.datetime) -> Context:
    """Return what stands around a plan at ``now``; what is not known is null."""
    instrument = plan.zone.heatmap.instrument
    exposure = expose(key=instrument.key, terms=vars(plan))
    zones = heatmap_queries.zones_by_id(heatmap_id=plan.zone.heatmap_id, zone_ids=plan.more_zones)
    return Context(
        market=read_market(instrument=instrument, now=now),
        layers=heatmap_queries.layer_evidence(instrument=instrument, at=now),
        picture=draw_picture(plan=plan, now=now),
        risk=spell_exposure(exposure),
        more_zones=zones,
        exposure=exposure,
    )


def draw_picture(*, plan: Plan, now: dt.datetime) -> dict[str, Any]:
    """Return what the zone looked like: closes of the last day, and the estimate around the price, as text."""
    heatmap = plan.zone.heatmap
    bars = market_queries.load_bars(
        instrument_id=heatmap.instrument_id, since=now - _DAY, until=now, timeframe=_CLOSES_S
    )
    column = heatmap_queries.latest_slice(heatmap=heatmap, at=now) if heatmap.built_through else None
    made: dict[str, Any] = {
        "closes": [
            [int(row["open_time"]) + _CLOSES_S * 1000, plain(Decimal(repr(float(row["close"]))))] for row in bars
        ],
        "bins": [],
    }
    if column is not None:
        low, high = plan.zone.price_low * (1 - _AROUND), plan.zone.price_high * (1 + _AROUND)
        shown = (column.prices >= low) & (column.prices <= high) & (column.usd > 0)
        pairs = zip(column.prices[shown], column.usd[shown], strict=True)
        made["bins"] = [
            [heatmap_queries.decimal_text(float(x)), heatmap_queries.decimal_text(float(y))] for x, y in pairs
        ]
    return made


def read_market(*, instrument: Any, now: dt.datetime) -> dict[str, Json]:  # noqa: ANN401  # another room's row
    """Return the newest close with its time, the mark, open interest and funding; what is not known is null."""
    freshness = market_queries.freshness(instrument=instrument, now=now)
    at = freshness.as_of
    if at is None:
        return {"last_price": None, "bar_end_ms": None, "is_stale": None}
    given = {"instrument_id": instrument.pk, "since": at - _RECENT, "until": at}
    seconds = int(_RECENT.total_seconds())
    mark = market_queries.load_bars(**given, timeframe=seconds, price_kind=_MARK)
    paid = market_queries.load_funding(instrument_id=instrument.pk, since=at - _FUNDING_AGE, until=at)
    return {
        "last_price": _newest(market_queries.load_bars(**given, timeframe=seconds), "close"),
        "bar_end_ms": epoch_ms(at),
        "is_stale": freshness.is_stale,
        "mark_price": _newest(mark, "close"),
        "open_interest": _newest(market_queries.load_open_interest(**given), "open_interest"),
        "funding_rate": _newest(paid, "rate"),
    }


def spell_exposure(found: Exposure) -> dict[str, Json]:
    """Write what a plan would cost and pay as JSON keeps it."""
    said: dict[str, Json] = {
        "entry_fee": plain(found.costs.entry_fee),
        "exit_fee": plain(found.costs.exit_fee),
        "slippage": plain(found.costs.slippage),
        "brackets_of": found.brackets_of,
    }
    for name in ("loss", "notional", "margin", "liquidation"):
        said[name] = plain(getattr(found, name))
    for name in ("reward", "scaled", "size"):
        part = getattr(found, name)
        said[name] = None if part is None else {one.name: _rounded(getattr(part, one.name)) for one in fields(part)}
    return said


def _rounded(value: Decimal) -> Json:
    return plain(round(value, 12))


def _newest(rows: np.ndarray[Any, Any], name: str) -> Json:
    return plain(Decimal(repr(float(rows[name][-1])))) if len(rows) else None
