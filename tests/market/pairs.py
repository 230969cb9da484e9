"""Members of asset pairs with made-up rows, counted in five-minute steps of one day, and what a pair then holds."""

from __future__ import annotations

import datetime as dt

import numpy as np

from market import queries
from market.models import Bar, Instrument, OpenInterest
from market.operations import ensure_pairs, store
from market.series import BAR, OPEN_INTEREST, STEP_MS, epoch_ms, moment
from tests.factories import make_instrument

DAY = dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
DAY_START = epoch_ms(DAY)


def at(steps: float) -> dt.datetime:
    """The moment so many five-minute steps into the day."""
    return moment(int(DAY_START + steps * STEP_MS))


def put_bars(one: Instrument, steps: range, *, price: float = 100.0, bar_ms: int = 60_000) -> None:
    rows = np.zeros(len(steps) * STEP_MS // bar_ms, BAR)
    rows["open_time"] = DAY_START + steps.start * STEP_MS + np.arange(len(rows)) * bar_ms
    for name in ("open", "high", "low", "close"):
        rows[name] = price
    rows["volume"], rows["quote_volume"], rows["taker_buy_volume"] = 10.0, 10.0 * price, np.nan
    store(instrument_id=one.pk, series="bars", rows=rows, timeframe=bar_ms // 1000, now=at(10_000))


def put_interest(
    one: Instrument, steps: range, amount: float, *, usd: float = np.nan, mark: float = np.nan, late_s: int = 0
) -> None:
    rows = np.zeros(len(steps), OPEN_INTEREST)
    rows["time"] = DAY_START + np.array(steps) * STEP_MS + late_s * 1000
    rows["open_interest"], rows["open_interest_value"], rows["mark_price"] = amount, usd, mark
    store(instrument_id=one.pk, series="open_interest", rows=rows, now=at(10_000))


def live(venue: str, symbol: str = "BTCUSDT", *, quote: str = "USDT") -> Instrument:
    return make_instrument(venue=venue, symbol=symbol, quote=quote, is_live=True)


def the_pair(symbol: str = "BTC-USDT") -> Instrument:
    return Instrument.objects.get(venue="pair", symbol=symbol)


def members(pair: Instrument) -> list[tuple[int, str]]:
    return [(one.number, one.instrument.key) for one in queries.list_members(pair_id=pair.pk)]


def bars(pair: Instrument) -> list[tuple[float, float]]:
    """Each bar of a pair: steps into the day, and close."""
    rows = Bar.objects.filter(instrument=pair).order_by("open_time").values_list("open_time", "close")
    return [((epoch_ms(time) - DAY_START) / STEP_MS, close) for time, close in rows]


def leaders(pair: Instrument) -> list[float]:
    """The closes of whole steps."""
    return [close for step, close in bars(pair) if step == int(step)]


def sums(pair: Instrument) -> dict[float, float]:
    rows = OpenInterest.objects.filter(instrument=pair).values_list("time", "open_interest")
    return {(epoch_ms(time) - DAY_START) / STEP_MS: amount for time, amount in rows}


def three() -> tuple[Instrument, Instrument, Instrument]:
    """Binance leads by open interest; each venue has a price of its own."""
    found = live("binance"), live("bybit"), live("okx", "BTC-USDT-SWAP")
    ensure_pairs()
    return found


def fill(one: Instrument, steps: range, *, price: float, amount: float) -> None:
    put_bars(one, steps, price=price)
    put_interest(one, range(steps.start, steps.stop + 1), amount)
