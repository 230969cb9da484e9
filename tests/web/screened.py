"""Many instruments beside each other, without a build for each."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from heatmaps.models import Heatmap, Standing, Zone
from market.models import Coverage, Instrument
from market.operations import store
from market.series import BAR, epoch_ms
from tests.factories import make_heatmap, make_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP = dt.timedelta(minutes=5)
PRICE = 60_000.0


def make_line(*, symbol: str, now: dt.datetime, number: int = 1, position_side: int = 1, **told: Any) -> Standing:  # noqa: ANN401  # columns
    """Store an instrument at 60,000 with a map, a zone of longs 1.3 % below it, and where it stands."""
    instrument = Instrument.objects.create(
        venue="binance", symbol=symbol, base=symbol.removesuffix("USDT"), quote="USDT",
        tick_size=Decimal("0.1"), lot_size=Decimal("0.001"),
    )  # fmt: skip
    add_bar(instrument, now)
    heatmap = make_heatmap(instrument=instrument, built_through=now)
    zone = make_zone(heatmap=heatmap, born_at=now - STEP, number=number, position_side=position_side)
    return add_standing(heatmap, zone, now, **told)


def add_bar(instrument: Instrument, now: dt.datetime) -> None:
    bar = np.zeros(1, BAR)
    bar["open_time"] = epoch_ms(now - STEP)
    for name in ("open", "high", "low", "close"):
        bar[name] = PRICE
    store(instrument_id=instrument.pk, series="bars", rows=bar, timeframe=300, now=now)


def add_standing(heatmap: Heatmap, zone: Zone, now: dt.datetime, **told: Any) -> Standing:  # noqa: ANN401  # columns
    return Standing.objects.create(**_standing(heatmap, zone, now) | told)


def _standing(heatmap: Heatmap, zone: Zone, now: dt.datetime) -> dict[str, Any]:
    return {
        "instrument_id": heatmap.instrument_id, "heatmap": heatmap, "as_of": now, "price": PRICE,
        "longs_usd": 2e6, "longs_low": 1e6, "longs_high": 4e6, "shorts_usd": 6e6, "shorts_low": 3e6, "shorts_high": 9e6,
        "chances": {str(zone.pk): {"4h": 0.12, "24h": 0.34}}, "refused": {"3d": "too short", "7d": "too short"},
        "coverage_pct": 100.0, "hour_at": now, "crowding": "ordinary",
        "funding_pct": 0.01, "funding_percentile": 50.0, "funding_days": 90,
        "interest_percentile": 81.0, "interest_days": 90,
    }  # fmt: skip


def make_many(symbols: Sequence[str], now: dt.datetime) -> None:
    """Store hundreds in a few statements."""
    first = make_line(symbol="FIRSTUSDT", now=now)
    release, model = first.heatmap.release, Zone.objects.get(heatmap=first.heatmap)
    made = Instrument.objects.bulk_create(
        Instrument(
            venue="binance", symbol=symbol, base=symbol, quote="USDT", tick_size=Decimal("0.1"), lot_size=Decimal(1)
        )
        for symbol in symbols
    )
    Coverage.objects.bulk_create(
        Coverage(instrument=one, series="bars", timeframe=300, start_at=now - STEP, end_at=now) for one in made
    )
    maps = Heatmap.objects.bulk_create(
        Heatmap(instrument=one, release=release, bin_bps=5, built_through=now) for one in made
    )
    kept = {field.attname: getattr(model, field.attname) for field in Zone._meta.concrete_fields if field.name != "id"}
    zones = Zone.objects.bulk_create(Zone(**{**kept, "heatmap_id": heatmap.pk}) for heatmap in maps)
    Standing.objects.bulk_create(
        Standing(**_standing(heatmap, zone, now)) for heatmap, zone in zip(maps, zones, strict=True)
    )
