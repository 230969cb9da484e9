"""Fills that are typed make trades like any other, and give way to the venue's own word."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from journal import operations, queries
from journal.models import Fill, Trade
from journal.operations import FillRefusedError, Said, TypedFill
from tests.factories import make_instrument, make_user
from tests.journal.terms import text
from tests.journal.test_settling import MINUTE, PATH, add, arm, first_minute, settle
from tests.journal.test_trades import MAY, binance, line, take
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone
    from market.models import Instrument

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def instrument(zone: Zone) -> Instrument:
    return zone.heatmap.instrument


def fill(instrument: Instrument, at: dt.datetime = MAY, side: int = 1, price: str = "60000") -> TypedFill:
    return TypedFill(instrument, at, side, D(price), D("0.02"), D("0.5"))


def put(owner: User, typed: TypedFill, now: dt.datetime) -> Fill:
    return operations.add_fill(owner_id=owner.pk, typed=typed, request_key=uuid.uuid4(), now=now)


def test_typed_fills_make_a_trade_and_a_second_click_adds_nothing(
    owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    put(owner, fill(instrument), now)
    key, typed = uuid.uuid4(), fill(instrument, MAY + MINUTE, -1, "60300")
    rows = {operations.add_fill(owner_id=owner.pk, typed=typed, request_key=key, now=now).pk for _ in range(3)}
    (trade,) = queries.list_trades(owner_id=owner.pk)
    assert (len(rows), trade.fees, trade.result) == (1, D(1), D(5))


def test_what_a_file_brings_takes_the_place_of_what_was_typed(
    owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    put(owner, fill(instrument), now)
    (trade,) = queries.list_trades(owner_id=owner.pk)
    operations.choose_plan(owner_id=owner.pk, trade_id=trade.pk, number=None)
    rows = binance(
        line(MAY + MINUTE / 2, "BUY", "60000", "0.02", 1, "0.7 USDT"), line(MAY + MINUTE, "SELL", "60300", "0.02", 2)
    )
    taken = take(owner, rows, now)
    assert (taken.new_count, taken.known_count) == (1, 1)
    closed = queries.get_trade(owner_id=owner.pk, trade_id=trade.pk)
    assert (closed.matched, closed.key, closed.fees, closed.result) == ("none", "BTCUSDT:1", D("1.2"), D("4.8"))
    with pytest.raises(FillRefusedError, match="from a file"):
        put(owner, fill(instrument), now)


@pytest.mark.parametrize("away", [{"at": MAY + 2 * MINUTE}, {"side": -1}, {"price": "60000.1"}])
def test_a_fill_that_differs_is_another(
    away: dict[str, Any], owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    put(owner, fill(instrument, **away), now)
    assert take(owner, binance(line(MAY, "BUY", "60000", "0.02", 1)), now).new_count == 1
    assert Fill.objects.owned_by(owner.pk).count() == 2


def test_a_typed_fill_can_be_taken_away_until_it_is_reviewed(
    owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    first, last = put(owner, fill(instrument), now), put(owner, fill(instrument, MAY + MINUTE, -1), now)
    operations.drop_fill(owner_id=owner.pk, fill_id=last.pk)
    (trade,) = queries.list_trades(owner_id=owner.pk)
    assert trade.left == D("0.02")
    put(owner, fill(instrument, MAY + MINUTE, -1), now)
    said = Said(what_happened="x", lesson="y")
    operations.review_trade(owner_id=owner.pk, trade_id=trade.pk, said=said, now=now)
    with pytest.raises(FillRefusedError, match="is reviewed"):
        operations.drop_fill(owner_id=owner.pk, fill_id=first.pk)
    other = make_user(email="other@example.com")
    with pytest.raises(Fill.DoesNotExist):
        operations.drop_fill(owner_id=other.pk, fill_id=first.pk)
    took = take(owner, binance(line(MAY + 9 * MINUTE, "BUY", "60000", "0.5", 9)), now)
    with pytest.raises(Fill.DoesNotExist):
        operations.drop_fill(owner_id=owner.pk, fill_id=Fill.objects.owned_by(owner.pk).get(file=took).pk)


def test_the_future_and_coin_margined_contracts_are_refused(
    owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    with pytest.raises(FillRefusedError, match="lies ahead"):
        put(owner, fill(instrument, now + MINUTE), now)
    coin = make_instrument(symbol="BTCUSD_PERP", quote="USD", contract_usd=100.0)
    with pytest.raises(FillRefusedError, match="linear contract"):
        put(owner, fill(coin), now)


def test_the_page_of_a_trade_writes_round_numbers_out(
    owner: User, instrument: Instrument, client: Client, now: dt.datetime
) -> None:
    put(owner, fill(instrument), now)
    round_one = TypedFill(instrument, MAY + MINUTE, -1, D(100_000), D(10), D(20))
    operations.add_fill(owner_id=owner.pk, typed=round_one, request_key=uuid.uuid4(), now=now)
    trade = queries.list_trades(owner_id=owner.pk)[-1]
    page = text(client.get(reverse("journal:trade", args=[trade.pk])))
    assert "bought 60,000 0.02 0.5" in page
    assert "sold 100,000 10 20" in page


def test_the_page_starts_with_the_plan_and_finds_it(owner: User, zone: Zone, client: Client, now: dt.datetime) -> None:
    plan = arm(owner, zone, now, equity=D(10_000))
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    page = client.get(reverse("journal:fill-new") + f"?plan={plan.number}").content.decode()
    assert 'value="binance:BTCUSDT"' in page
    assert 'value="59200"' in page
    assert client_of(make_user(email="other@example.com")).get(
        reverse("journal:fill-new") + f"?plan={plan.number}"
    ).status_code == 404  # fmt: skip
    typed = {"instrument": "binance:BTCUSDT", "at": f"{plan.armed_at:%Y-%m-%d %H:%M:%S}", "side": "1", "price": "59200",
             "quantity": "0,1", "fee": "", "request_key": str(uuid.uuid4())}  # fmt: skip
    wrong = client.post(reverse("journal:fill-new"), typed)
    assert wrong.status_code == 422
    assert "Give the fee, or 0 if there was none." in text(wrong)
    kept = client.post(reverse("journal:fill-new"), typed | {"quantity": "0.1", "fee": "1.2"})
    assert kept.status_code == 302, text(kept)
    trade = Trade.objects.owned_by(owner.pk).get()
    shown = text(client.get(kept["Location"]))
    assert (f"T-{trade.pk}" in shown, "by hand" in shown) == (True, True)
    again = client.post(reverse("journal:fill-drop", args=[Fill.objects.owned_by(owner.pk).get().pk]))
    assert (again.status_code, Trade.objects.owned_by(owner.pk).count()) == (302, 0)
