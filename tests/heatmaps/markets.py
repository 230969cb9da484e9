"""Stored markets for the tests of heatmaps, and what a build left behind of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from heatmaps.models import Heatmap, Snapshot, Tile, Zone, ZoneEvent, ZoneTracking
from market.operations import store
from market.series import STEP_MS, moment
from tests.core.windows import START_MS, cut, make_window
from tests.factories import make_instrument

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Window

START: Final = moment(START_MS)
LATE: Final = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def at_step(steps: float) -> dt.datetime:
    """The moment so many five-minute steps after the start."""
    return START + dt.timedelta(milliseconds=steps * STEP_MS)


def put(instrument: Instrument, window: Window, *, until: float | None = None, now: dt.datetime = LATE) -> None:
    """Store a window, or what of it had happened after ``until`` steps."""
    if until is not None:
        window = cut(window, since_ms=0, until_ms=int(START_MS + until * STEP_MS))
    for bar_ms in {int(length) for length in window.bar_ms}:
        rows = window.bars[window.bar_ms == bar_ms]
        store(instrument_id=instrument.pk, series="bars", rows=rows, timeframe=bar_ms // 1000, now=now)
    for bar_ms in {int(length) for length in window.mark_ms}:
        rows = window.mark_bars[window.mark_ms == bar_ms]
        store(instrument_id=instrument.pk, series="mark_bars", rows=rows, timeframe=bar_ms // 1000, now=now)
    store(instrument_id=instrument.pk, series="open_interest", rows=window.open_interest, now=now)


def make_market(
    *, steps: int, symbol: str = "BTCUSDT", seed: int = 0, bar_ms: int = STEP_MS, until: float | None = None
) -> Instrument:
    """Store an instrument with a made-up past."""
    instrument = make_instrument(symbol=symbol)
    put(instrument, make_window(steps=steps, seed=seed, bar_ms=bar_ms), until=until)
    return instrument


def built(instrument: Instrument, slug: str = "open-interest") -> dict[str, object]:
    """All that a build stores of an instrument's map but its id and the time of writing."""
    heatmap = Heatmap.objects.get(instrument=instrument, release__slug=slug)
    tiles = Tile.objects.filter(heatmap=heatmap).order_by("level", "row", "col")
    snapshots = Snapshot.objects.filter(heatmap=heatmap).order_by("step_at")
    fields = "built_from built_through provisional_through allocated_share bin_lo bin_hi input_digest code_floor_usd"
    return {
        "tiles": [(t.level, t.row, t.col, bytes(t.body), t.etag) for t in tiles],
        "snapshots": [(s.step_at, bytes(s.body), s.input_digest) for s in snapshots],
        "pointer": {name: getattr(heatmap, name) for name in fields.split()},
    }


def followed(instrument: Instrument) -> list[dict[str, object]]:
    """All zones of an instrument but their ids; evidence names the instrument and is compared apart."""
    left_out = {"id", "heatmap_id", "evidence", "evidence_sha256", "_state"}
    zones = Zone.objects.filter(heatmap__instrument=instrument).order_by("number")
    return [{name: value for name, value in vars(zone).items() if name not in left_out} for zone in zones]


def told(instrument: Instrument) -> list[dict[str, object]]:
    """All events of an instrument's zones but their ids, and what goes on following them."""
    left_out = {"id", "zone_id", "_state"}
    events = ZoneEvent.objects.filter(zone__heatmap__instrument=instrument).order_by("zone__number", "number")
    rows = [{name: value for name, value in vars(event).items() if name not in left_out} for event in events]
    tracking = ZoneTracking.objects.filter(heatmap__instrument=instrument)
    return [*rows, {"tracking": list(tracking.values_list("body", flat=True))}]
