"""A small market in the database, with its map and zones made by the real operations."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.management import call_command
from django.db import connection

from heatmaps import operations as heatmaps
from heatmaps.models import Heatmap, Zone
from heatmaps.queries import get_heatmap
from market import operations as market
from market import series as s
from tests.factories import make_instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import DjangoDbBlocker

    from market.models import Instrument
    from market.series import SeriesName

STEP_MS: Final = 300_000


@dataclass(frozen=True)
class World:
    """An instrument with its map."""

    instrument: Instrument
    heatmap: Heatmap

    @property
    def zone(self) -> Zone:
        """Return an active zone of the map."""
        return Zone.objects.filter(heatmap=self.heatmap, state="active").order_by("pk")[0]


def make_world(
    *,
    end: dt.datetime,
    hours: int = 72,
    symbol: str = "BTCUSDT",
    venue: str = "binance",
    is_live: bool = False,
    is_simulated: bool = False,
) -> World:
    """Store hours of a random walk around 60,000 that ends at ``end``, build its map and follow its zones."""
    instrument = make_instrument(venue=venue, symbol=symbol, is_live=is_live, is_simulated=is_simulated)
    add_bars(instrument=instrument, end=end, hours=hours)
    heatmaps.advance(instrument_id=instrument.pk, now=end)
    heatmaps.track_zones(instrument_id=instrument.pk, now=end)
    heatmap = get_heatmap(instrument_id=instrument.pk)
    assert heatmap is not None
    return World(instrument, heatmap)


def make_pair(*, end: dt.datetime, down_hours: float = 0.0, hours: int = 72) -> World:
    """Store live members of BTC-USDT at four venues, one of them inverse, and build their maps and the pair's.

    OKX has been down for so long.
    """
    members = {
        "binance": make_instrument(is_live=True),
        "bybit": make_instrument(venue="bybit", is_live=True),
        "okx": make_instrument(venue="okx", symbol="BTC-USDT-SWAP", is_live=True),
        "coinm": make_instrument(venue="binance", symbol="BTCUSD_PERP", quote="USD", contract_usd=100.0, is_live=True),
    }
    sizes = {"binance": 1.0, "bybit": 0.55, "okx": 0.32, "coinm": 0.07}
    for name, one in members.items():
        missing = down_hours if name == "okx" else 0.0
        add_bars(instrument=one, end=end - dt.timedelta(hours=missing), hours=hours - missing, contracts=sizes[name])
        heatmaps.advance(instrument_id=one.pk, now=end)
    (pair,) = market.ensure_pairs()
    market.ingest(instrument_id=pair.pk, now=end)
    heatmaps.advance(instrument_id=pair.pk, now=end)
    heatmaps.track_zones(instrument_id=pair.pk, now=end)
    heatmap = get_heatmap(instrument_id=pair.pk)
    assert heatmap is not None
    return World(pair, heatmap)


@contextmanager
def lasting_world(
    blocker: DjangoDbBlocker, *, end: dt.datetime, make: Callable[..., World] = make_world
) -> Iterator[World]:
    """Keep one world for all tests of a module: it is committed, and removed at the end."""
    # Without a test that is marked for the database there is no test database, and this would be the real one.
    assert str(connection.settings_dict["NAME"]).startswith("test_")
    with blocker.unblock():
        world = make(end=end)
    yield world
    with blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE market_instrument, market_bar, heatmaps_estimatorrelease CASCADE")


@contextmanager
def armed_world(blocker: DjangoDbBlocker) -> Iterator[World]:
    """Keep a world that ends now, because the database's clock says when a plan is armed; at the end all is removed."""
    with lasting_world(blocker, end=dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)) as world:
        yield world
        with blocker.unblock(), connection.cursor() as cursor:
            # Armed plans refuse to be removed; a test's may go.
            cursor.execute("SET session_replication_role = replica")
    with blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)
        connection.close()  # with what was set on it


def add_bars(*, instrument: Instrument, end: dt.datetime, hours: float, seed: int = 7, contracts: float = 1.0) -> None:
    """Store five-minute bars, open interest and funding up to ``end``; volumes and sizes times ``contracts``."""
    count = round(hours * 12)
    rng = np.random.default_rng(seed)
    last = int(end.timestamp() * 1000) // STEP_MS * STEP_MS
    opens = last - STEP_MS * np.arange(count, 0, -1)
    closes = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.0016, count)))
    bars = _bars(opens, closes, rng)
    for name in ("volume", "quote_volume", "taker_buy_volume"):
        bars[name] *= contracts
    _store(instrument, "bars", bars, end, timeframe=300)
    interest = np.zeros(count, s.OPEN_INTEREST)
    interest["time"] = opens + STEP_MS
    interest["open_interest"] = contracts * (90_000 + np.cumsum(rng.normal(0, 120, count)))
    interest["open_interest_value"] = interest["open_interest"] * closes
    interest["mark_price"] = closes
    _store(instrument, "open_interest", interest, end)
    eight_hours = 96 * STEP_MS
    times = np.arange(opens[0] // eight_hours * eight_hours, last + 1, eight_hours)
    funding = np.zeros(times.size, s.FUNDING)
    funding["time"], funding["rate"] = times, rng.normal(8e-5, 5e-5, times.size)
    funding["interval_s"] = 28_800
    _store(instrument, "funding", funding, end)


def _bars(opens: np.ndarray, closes: np.ndarray, rng: np.random.Generator) -> s.Records:  # type: ignore[type-arg]  # of one kind only
    bars = np.zeros(opens.size, s.BAR)
    bars["open_time"], bars["close"] = opens, closes
    bars["open"] = np.concatenate([closes[:1], closes[:-1]])
    reach = np.abs(rng.normal(0, 25, (2, opens.size)))
    bars["high"] = np.maximum(bars["open"], closes) + reach[0]
    bars["low"] = np.minimum(bars["open"], closes) - reach[1]
    bars["volume"] = rng.uniform(200, 900, opens.size)
    bars["quote_volume"] = bars["volume"] * (bars["high"] + bars["low"] + closes) / 3
    bars["taker_buy_volume"] = bars["volume"] / 2
    return bars


def _store(instrument: Instrument, series: SeriesName, rows: s.Records, now: dt.datetime, timeframe: int = 0) -> None:
    market.store(instrument_id=instrument.pk, series=series, rows=rows, timeframe=timeframe, now=now)
