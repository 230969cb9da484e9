"""Zones of two weeks of real bars: each end has its cause, and what was told then is what is told of then."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from heatmaps.core.zones import FADE, MISSING_LIMIT, SLICE_MS, SWEPT
from heatmaps.models import Zone, ZoneEvent
from heatmaps.queries import list_zones, page_zones
from market.series import DAY_MS, STEP_MS, epoch_ms
from tests.core.windows import cut, real_window
from tests.factories import make_instrument
from tests.history import ABSENT

from .markets import put
from .test_zone_history import follow, shown

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.series import Window

pytestmark = pytest.mark.django_db
DAYS = 14
# The most restless of the four, with most zones.
SYMBOL = "DOGEUSDT"


@pytest.fixture
def window() -> Window:
    whole = real_window(SYMBOL)
    if whole is None:
        pytest.skip(ABSENT)
    start_ms = int(whole.bars["open_time"][0])
    return cut(whole, since_ms=0, until_ms=start_ms + DAYS * DAY_MS)


def advance(instrument: Instrument, window: Window, until_ms: int) -> Heatmap:
    put(instrument, cut(window, since_ms=0, until_ms=until_ms))
    return follow(instrument)


def test_every_end_has_a_cause_that_its_ledger_bears_out(window: Window) -> None:
    advance(make_instrument(symbol=SYMBOL), window, int(window.bars["open_time"][-1]) + STEP_MS)
    ended = list(Zone.objects.exclude(ended_at=None))
    assert {zone.cause for zone in ended} == set(Zone.Cause.values)
    for zone in ended:
        last = ZoneEvent.objects.filter(zone=zone).latest("number")
        formed = ZoneEvent.objects.get(zone=zone, number=1)
        balance = formed.usd + zone.deposited - zone.closed - zone.swept + zone.moved
        assert balance == pytest.approx(zone.usd, rel=1e-9, abs=1e-3)
        assert (last.kind, last.at, last.cause) == ("ended", zone.ended_at, zone.cause)
        assert CAUSES[zone.cause](zone, window), (zone.label, zone.cause)


def is_through(zone: Zone, window: Window) -> bool:
    assert zone.ended_at is not None
    bar = window.bars[window.bars["open_time"] == epoch_ms(zone.ended_at) - STEP_MS][0]
    return bool(
        bar["low"] <= zone.price_low * 1.0005 if zone.position_side == 1 else bar["high"] >= zone.price_high / 1.0005
    )


def is_joined(zone: Zone, _: Window) -> bool:
    """The other's band covers it: at once, or as soon as a third zone between them that fades has gone too.

    No band is drawn over another's, so the other's stays cut while the third is missing and not yet over.
    """
    assert zone.ended_at is not None
    assert zone.other_number is not None
    other = Zone.objects.get(heatmap=zone.heatmap_id, number=zone.other_number)
    events = ZoneEvent.objects.filter(zone=other)
    soon = zone.ended_at + MISSING_LIMIT * dt.timedelta(milliseconds=SLICE_MS)
    told = [events.filter(at__lte=zone.ended_at).latest("number"), *events.filter(at__gt=zone.ended_at, at__lte=soon)]
    meets = any(min(one.price_high, zone.price_high) > max(one.price_low, zone.price_low) for one in told)
    return meets and other.position_side == zone.position_side


CAUSES = {
    "through": is_through,
    "eaten": lambda zone, _: zone.swept >= SWEPT * zone.usd_peak,
    "closed": lambda zone, _: zone.usd < FADE * zone.usd_peak and zone.closed > 0.0,
    "levelled": lambda zone, _: zone.usd >= FADE * (zone.usd_peak - zone.swept),
    "joined": is_joined,
}


def test_past_moments_read_as_they_were_stored_then(window: Window) -> None:
    instrument, then = make_instrument(symbol=SYMBOL), {}
    start_ms = int(window.bars["open_time"][0])
    steps = np.sort(np.random.default_rng(2).integers(288, DAYS * 288, 6))
    for until_ms in [*(start_ms + steps * STEP_MS).tolist(), start_ms + DAYS * DAY_MS]:
        heatmap = advance(instrument, window, until_ms)
        assert heatmap.zones_through is not None
        then[heatmap.zones_through] = shown(list_zones(heatmap=heatmap)), shown(page_zones(heatmap=heatmap, limit=9)[0])
    for at, stored in then.items():
        pages = page_zones(heatmap=heatmap, limit=9, at=at)[0]
        assert (shown(list_zones(heatmap=heatmap, at=at)), shown(pages)) == stored
