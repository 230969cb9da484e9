"""Asset pairs: who is a member, and when a pair is made."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from market.models import Instrument, PairMember
from market.operations import ensure_pairs
from tests.factories import make_instrument

from .pairs import live, members, put_bars, the_pair, three

pytestmark = pytest.mark.django_db


def test_pair_is_made_of_live_instruments_of_one_asset() -> None:
    live("hyperliquid", "BTC", quote="USDC")
    live("binance", "BTCUSD_PERP", quote="USD")
    live("binance")
    live("bybit", "ETHUSDT")
    assert [pair.key for pair in ensure_pairs()] == ["pair:BTC-USDT"]
    pair = the_pair()
    assert members(pair) == [(0, "hyperliquid:BTC"), (1, "binance:BTCUSD_PERP"), (2, "binance:BTCUSDT")]
    assert (pair.base, pair.quote, pair.is_live, pair.is_simulated) == ("BTC", "USDT", True, False)


def test_simulated_market_and_other_quotes_belong_to_no_pair() -> None:
    live("binance")
    make_instrument(venue="simulated", is_live=True, is_simulated=True)
    live("kraken", "BTCEUR", quote="EUR")
    assert ensure_pairs() == []


def test_contracts_on_another_multiple_are_another_pair() -> None:
    for venue, multiple in (("binance", 1000), ("bybit", 1000), ("okx", 1), ("hyperliquid", 1)):
        one = live(venue, "PEPEUSDT")
        Instrument.objects.filter(pk=one.pk).update(underlying="PEPE", multiple=multiple)
    assert sorted(pair.symbol for pair in ensure_pairs()) == ["1000PEPE-USDT", "PEPE-USDT"]
    assert members(the_pair("1000PEPE-USDT")) == [(0, "binance:PEPEUSDT"), (1, "bybit:PEPEUSDT")]


def test_member_keeps_its_number_and_a_new_one_comes_behind() -> None:
    binance, *_ = three()
    Instrument.objects.filter(pk=binance.pk).update(is_live=False)
    live("aevo")
    ensure_pairs()
    numbers = [(0, "binance:BTCUSDT"), (1, "bybit:BTCUSDT"), (2, "okx:BTC-USDT-SWAP"), (3, "aevo:BTCUSDT")]
    assert members(the_pair()) == numbers


def test_imported_history_belongs_where_it_overlaps() -> None:
    old, new = make_instrument(venue="bitmex"), make_instrument(venue="kraken")
    one, other = live("binance"), live("bybit")
    put_bars(old, range(-600, -500))
    put_bars(new, range(-20, 5))
    for each in (one, other):
        put_bars(each, range(10))
    ensure_pairs()
    assert sorted(key for _, key in members(the_pair())) == ["binance:BTCUSDT", "bybit:BTCUSDT", "kraken:BTCUSDT"]


def test_pair_is_live_while_any_member_is() -> None:
    three()
    Instrument.objects.filter(venue="binance").update(is_live=False)
    ensure_pairs()
    assert the_pair().is_live
    Instrument.objects.exclude(venue="pair").update(is_live=False)
    ensure_pairs()
    assert not the_pair().is_live


def test_nothing_is_written_where_nothing_changed() -> None:
    three()
    with CaptureQueriesContext(connection) as asked:
        ensure_pairs()
    assert [one["sql"] for one in asked if not one["sql"].startswith("SELECT")] == []
    assert PairMember.objects.count() == 3
