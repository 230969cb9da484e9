"""What venues list: new, changed, gone, renamed; and what can not be true."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from market.models import Alias, ContractTerms, Instrument, LeverageBracket, Quarantine
from market.operations import (
    InstrumentRequestError,
    Synced,
    disable,
    enable,
    ensure_default_set,
    rename,
    store,
    sync_venue,
)
from market.sources.base import LeverageBracket as Bracket
from market.sources.base import SourceError
from tests.factories import make_instrument

from .listed import ListedVenue, facts, register
from .rows import START, make_bars

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
KEY = "listed:BTCUSDT"
TABLE = (Bracket(0.0, 125.0, 0.004), Bracket(50_000.0, 100.0, 0.005))


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> ListedVenue:
    made = ListedVenue(listed=[facts()])
    register(monkeypatch, listed=made)
    return made


def synced(now: dt.datetime = START) -> Synced:
    return sync_venue(slug="listed", now=now)


def terms() -> list[tuple[Any, ...]]:
    found = ContractTerms.objects.order_by("valid_from").values_list(
        "valid_from", "contract_size", "multiple", "tick_size"
    )
    return list(found)


def test_new_contracts_come_in_switched_off(venue: ListedVenue) -> None:
    venue.listed = [
        facts(),
        facts("1000PEPEUSDT", underlying="PEPE", multiple=1000),
        facts("OLDUSDT", is_trading=False),
    ]
    assert synced() == Synced("listed", listed=3, added=2)
    rows = Instrument.objects.order_by("symbol").values_list("symbol", "is_live", "underlying", "multiple")
    assert list(rows) == [("1000PEPEUSDT", False, "PEPE", 1000), ("BTCUSDT", False, "BTC", 1)]
    assert set(Instrument.objects.values_list("liquidation_sampling", flat=True)) == {"latest per second"}
    assert sorted(terms()) == [(START, 1.0, 1, Decimal("0.1")), (START, 1.0, 1000, Decimal("0.1"))]


def test_a_second_sync_changes_nothing(venue: ListedVenue) -> None:
    synced()
    before = list(Instrument.objects.values())
    assert synced(START + DAY) == Synced("listed", listed=1)
    assert (list(Instrument.objects.values()), len(terms())) == (before, 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"contract_size": 0.1}, (0.1, 1, Decimal("0.1"))),
        ({"multiple": 1000}, (1.0, 1000, Decimal("0.1"))),
        ({"tick_size": "0.01"}, (1.0, 1, Decimal("0.01"))),
    ],
)
def test_changed_terms_hold_from_now_on(
    change: dict[str, Any], expected: tuple[object, ...], venue: ListedVenue
) -> None:
    synced()
    venue.listed = [facts(**change)]
    assert synced(START + DAY) == Synced("listed", listed=1, changed=1)
    assert terms() == [(START, 1.0, 1, Decimal("0.1")), (START + DAY, *expected)]


def test_an_instrument_that_was_switched_on_stays_so(venue: ListedVenue) -> None:
    synced()
    enable(keys=[KEY])
    venue.listed = [facts(tick_size="0.5")]
    synced(START + DAY)
    assert Instrument.objects.get().is_live is True


def test_what_no_longer_trades_has_ended_until_it_trades_again(venue: ListedVenue) -> None:
    venue.listed = [facts(), facts("ETHUSDT")]
    synced()
    venue.listed = [facts(is_trading=False)]
    assert synced(START + DAY) == Synced("listed", listed=1, ended=1, missing=1)
    assert synced(START + DAY + dt.timedelta(minutes=5)) == Synced("listed", listed=1, ended=1)
    assert synced(START + 2 * DAY) == Synced("listed", listed=1)
    assert set(Instrument.objects.values_list("ended_at", flat=True)) == {START + DAY}
    venue.listed = [facts()]
    synced(START + 3 * DAY)
    assert list(Instrument.objects.order_by("symbol").values_list("ended_at", flat=True)) == [None, START + DAY]


def test_a_list_that_was_cut_short_ends_nothing(venue: ListedVenue) -> None:
    venue.listed = [facts(), facts("ETHUSDT")]
    synced()
    whole, minute = venue.listed, dt.timedelta(minutes=1)
    venue.listed = whole[:1]
    assert synced(START + DAY) == Synced("listed", listed=1, missing=1)
    assert synced(START + DAY + minute) == Synced("listed", listed=1, missing=1)
    venue.listed = whole
    assert synced(START + DAY + 2 * minute) == Synced("listed", listed=2)
    venue.listed = whole[:1]
    assert synced(START + DAY + 9 * minute) == Synced("listed", listed=1, missing=1)
    assert set(Instrument.objects.values_list("ended_at", flat=True)) == {None}


def test_a_venue_that_does_not_answer_changes_nothing(venue: ListedVenue) -> None:
    synced()
    venue.error = SourceError("listed does not answer", is_outage=True)
    assert synced(START + DAY) == Synced("listed", refused="listed does not answer")
    venue.error, venue.listed = None, []
    assert synced(START + DAY).refused == "it lists no contract at all; nothing was changed"
    assert Instrument.objects.get().ended_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"tick_size": "0"},
        {"tick_size": "NaN"},
        {"lot_size": "-1"},
        {"lot_size": "1e-30"},
        {"lot_size": "\uff11"},
        {"tick_size": "1_0"},
        {"contract_size": 0.0},
        {"contract_size": float("inf")},
        {"multiple": 0},
        {"base": ""},
    ],
)
def test_terms_that_can_not_be_true_are_held(change: dict[str, Any], venue: ListedVenue) -> None:
    synced()
    venue.listed = [facts(**change), facts("ETHUSDT", **change)]
    assert synced(START + DAY) == Synced("listed", listed=2, held=2)
    assert (Instrument.objects.get().tick_size, Instrument.objects.get().ended_at) == (Decimal("0.1"), None)
    assert set(Quarantine.objects.values_list("series", "reason")) == {
        ("terms", "the terms of the contract can not be true")
    }


def test_brackets_are_kept_by_the_day_on_which_they_changed(venue: ListedVenue) -> None:
    venue.listed = [facts(), facts("ETHUSDT")]
    synced()
    enable(keys=[KEY])
    venue.tables = {"BTCUSDT": TABLE}
    assert (synced().brackets, synced(START + DAY).brackets) == (1, 0)
    venue.tables = {"BTCUSDT": TABLE[:1]}
    assert synced(START + 2 * DAY).brackets == 1
    found = LeverageBracket.objects.order_by("as_of_date", "floor").values_list("as_of_date", "floor", "max_leverage")
    today = START.date()
    assert list(found) == [(today, 0, 125), (today, 50_000, 100), (today + 2 * DAY, 0, 125)]
    # Those that are not enabled are not asked for.
    assert set(venue.asked) == {"BTCUSDT"}


@pytest.mark.parametrize(
    "rows",
    [
        (Bracket(1.0, 125.0, 0.004),),
        (Bracket(0.0, float("nan"), 0.004),),
        (Bracket(0.0, 125.0, 0.0),),
        (Bracket(0.0, 50.0, 0.01), Bracket(1e6, 100.0, 0.02)),
    ],
)
def test_brackets_that_can_not_be_true_are_held(rows: tuple[Bracket, ...], venue: ListedVenue) -> None:
    synced()
    enable(keys=[KEY])
    venue.tables = {"BTCUSDT": rows}
    assert (synced().held, LeverageBracket.objects.count()) == (1, 0)
    assert Quarantine.objects.get().series == "brackets"


def test_brackets_that_can_not_be_read_do_not_undo_the_list(venue: ListedVenue) -> None:
    venue.listed = [facts(), facts("ETHUSDT")]
    synced()
    enable(keys=[KEY, "listed:ETHUSDT"])
    venue.bracket_error = SourceError("only for account holders")
    assert synced().refused == "leverage brackets of ETHUSDT: only for account holders"
    venue.asked.clear()
    venue.bracket_error = SourceError("gone", is_outage=True)
    assert synced().refused == "leverage brackets of BTCUSDT: gone"
    assert venue.asked == ["BTCUSDT"]


def test_a_renamed_instrument_goes_on_with_its_history(venue: ListedVenue) -> None:
    synced()
    old = Instrument.objects.get()
    store(instrument_id=old.pk, series="bars", rows=make_bars(0), timeframe=300, now=START + DAY)
    venue.listed = [facts("POLUSDT", tick_size="0.01")]
    synced(START + DAY)
    kept = rename(old=KEY, new="listed:POLUSDT", now=START + 2 * DAY)
    assert (kept.pk, kept.key, kept.base, kept.ended_at) == (old.pk, "listed:POLUSDT", "POL", None)
    assert list(Alias.objects.values_list("instrument", "symbol", "valid_until")) == [
        (old.pk, "BTCUSDT", START + 2 * DAY)
    ]
    assert [row[3] for row in terms()] == [Decimal("0.1"), Decimal("0.01")]
    assert (Instrument.objects.count(), synced(START + 3 * DAY)) == (1, Synced("listed", listed=1))


def test_what_is_no_continuation_is_not_renamed(venue: ListedVenue) -> None:
    venue.listed = [facts(), facts("1000BTCUSDT", multiple=1000), facts("ETHUSDT")]
    synced()
    other = Instrument.objects.get(symbol="ETHUSDT")
    store(instrument_id=other.pk, series="bars", rows=make_bars(0), timeframe=300, now=START + DAY)
    make_instrument(venue="bybit")
    for new, message in (
        ("listed:1000BTCUSDT", "its multiple is 1000, not 1"),
        ("listed:ETHUSDT", "has data of its own"),
        ("listed:BTCUSDT", "no other contract of listed"),
        ("bybit:BTCUSDT", "no other contract of listed"),
        ("listed:NOUSDT", "There is no instrument 'listed:NOUSDT'"),
    ):
        with pytest.raises(InstrumentRequestError, match=message):
            rename(old=KEY, new=new, now=START)
    assert (Alias.objects.count(), Instrument.objects.count()) == (0, 4)


def test_only_what_can_be_fetched_is_enabled(venue: ListedVenue) -> None:
    synced()
    make_instrument(venue="nowhere")
    ended = make_instrument(venue="listed", symbol="ENDUSDT")
    Instrument.objects.filter(pk=ended.pk).update(ended_at=START)
    for keys, message in (
        ([KEY, "nowhere:BTCUSDT"], "nothing is fetched from nowhere"),
        (["listed:ENDUSDT"], "ended at 2026-01-15 00:00"),
        (["nonsense"], "There is no instrument 'nonsense'"),
    ):
        with pytest.raises(InstrumentRequestError, match=message):
            enable(keys=keys)
    assert Instrument.objects.filter(is_live=True).count() == 0
    assert [(row.key, row.is_live) for row in enable(keys=[KEY])] == [(KEY, True)]
    assert [(row.key, row.is_live) for row in disable(keys=[KEY])] == [(KEY, False)]


def test_the_default_set_is_made_once_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, binance=ListedVenue("binance"), okx=ListedVenue("okx"))
    assert [row.key for row in ensure_default_set()] == [
        "binance:BTCUSDT",
        "binance:ETHUSDT",
        "binance:SOLUSDT",
        "okx:BTC-USDT-SWAP",
        "okx:ETH-USDT-SWAP",
        "okx:SOL-USDT-SWAP",
    ]
    assert set(Instrument.objects.values_list("liquidation_sampling", flat=True)) == {"latest per second"}
    disable(keys=["binance:BTCUSDT"])
    assert ensure_default_set() == []
    assert Instrument.objects.filter(is_live=True).count() == 5


def run(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("instruments", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_command_syncs_all_venues_though_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    away = ListedVenue("away", error=SourceError("away does not answer", is_outage=True))
    register(monkeypatch, away=away, listed=ListedVenue(listed=[facts()]))
    out = io.StringIO()
    with pytest.raises(CommandError, match="Not all could be asked of away; repeat the command later"):
        call_command("instruments", "sync", stdout=out)
    assert out.getvalue().splitlines() == [
        "away: away does not answer",
        "listed: 1 listed, 1 new, 0 changed, 0 ended, 0 bracket tables, 0 in quarantine",
    ]
    assert run("sync", "listed") == ["listed: 1 listed, 0 new, 0 changed, 0 ended, 0 bracket tables, 0 in quarantine"]


def test_command_switches_and_lists(venue: ListedVenue) -> None:
    run("sync")
    assert run("enable", KEY)[0].split() == [KEY, "BTC-USDT", "linear", "enabled"]
    assert run("list", "listed")[0].split() == [KEY, "BTC-USDT", "linear", "enabled"]
    assert run("disable", KEY)[0].split()[-1] == "disabled"
    assert run("list", "elsewhere") == []
    with pytest.raises(CommandError, match="There is no instrument 'x:Y'"):
        run("enable", "x:Y")
    with pytest.raises(CommandError, match="no source called 'nowhere'"):
        run("sync", "nowhere")
