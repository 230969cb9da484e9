"""Chances of a touch on pages, in the chart data and in the API: percentages and reasons, no claim of a pull."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from heatmaps.models import Zone
from heatmaps.operations import learn_reach
from heatmaps.queries import NOT_LEARNT, reachability
from tests.factories import make_heatmap, make_instrument, make_user, make_zone
from tests.heatmaps.touched import HOUR, TODAY, past, put_bars
from tests.pages import client_of
from tests.web.published import API, body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
AT = TODAY + 6 * HOUR
BTC = f"{API}/instruments/binance:BTCUSDT"


@pytest.fixture
def zones() -> list[Zone]:
    """One zone 2 % below the price, one around it, one that ended."""
    instrument = make_instrument()
    put_bars(instrument, past(), until=AT)
    heatmap = make_heatmap(instrument=instrument, built_through=AT)
    type(heatmap).objects.update(zones_through=AT, built_from=TODAY)
    made = [make_zone(heatmap=heatmap, born_at=AT - HOUR, number=number) for number in (1, 2, 3)]
    price = float(past()["close"][24 * 288 + 71])
    for zone, (low, high) in zip(made, ((0.97, 0.98), (0.99, 1.01), (0.96, 0.97)), strict=True):
        Zone.objects.filter(pk=zone.pk).update(
            price_low=price * low, price_high=price * high, price_peak=price * (low + high) / 2
        )
    Zone.objects.filter(pk=made[2].pk).update(state="expired", ended_at=AT)
    return made


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_zone_page_says_why_there_is_no_chance_yet(zones: list[Zone]) -> None:
    said = text_of(client_of(make_user()), f"/zones/{zones[0].pk}/")
    assert f"Within 4 h — {NOT_LEARNT}" in said


def test_zone_page_states_percentages_and_reasons(zones: list[Zone]) -> None:
    client = client_of(make_user())
    learn_reach(instrument_id=zones[0].heatmap.instrument_id, now=TODAY)
    chances = reachability(instrument_id=zones[0].heatmap.instrument_id, at=AT)
    zones[0].refresh_from_db()
    expected = {name: round(100 * row[0]) for name, row in chances.chances([zones[0].price_high]).items()}
    said = text_of(client, f"/zones/{zones[0].pk}/")
    assert f"Within 24 h {expected['24h']}% Within 3 d — not enough history: it takes 37 days of bars" in said
    assert "The chance that a price of this volatility touches the near edge, as of 25 Jan 06:00 UTC." in said
    inside = text_of(client, f"/zones/{zones[1].pk}/")
    assert "Within 4 h — price is inside" in inside
    assert "Chance of a touch" not in text_of(client, f"/zones/{zones[2].pk}/")


def test_terminal_lists_chances_and_the_chart_gets_them(zones: list[Zone]) -> None:
    learn_reach(instrument_id=zones[0].heatmap.instrument_id, now=TODAY)
    client = client_of(make_user())
    said = text_of(client, "/t/binance:BTCUSDT/")
    assert "No chance: 3 d: not enough history: it takes 37 days of bars; 7 d:" in said
    found = client.get("/t/binance:BTCUSDT/chart.json").json()["touches"]
    assert (found["distances"][0], found["distances"][-1]) == (0.0, 0.29998)
    assert {name: (row[0], len(row)) for name, row in found["up"].items()} == {"4h": (1.0, 45), "24h": (1.0, 45)}
    assert list(found["refused"]) == ["3d", "7d"]


def test_api_gives_chances_of_zones_and_levels(zones: list[Zone]) -> None:
    instrument_id = zones[0].heatmap.instrument_id
    client = client_with_key(make_user())
    empty = body(client, f"{BTC}/reach/?level=50000")
    assert (empty["estimator"], empty["refused"]["4h"]) == (None, NOT_LEARNT)
    assert empty["levels"][0]["touches"][0] == {"horizon": "4h", "chance": None, "reason": NOT_LEARNT}
    learn_reach(instrument_id=instrument_id, now=TODAY)
    zones[0].refresh_from_db()
    answer = body(client, f"{BTC}/reach/?level={zones[0].price_high}&level=70000")
    assert (answer["estimator"], answer["learnt_through"]) == ("har-excursions 1", "2026-01-25T00:00:00Z")
    assert (empty["completeness"], answer["completeness"]) == (None, 1.0)
    chances = [one["chance"] for one in answer["levels"][0]["touches"]]
    assert [one is None for one in chances] == [False, False, True, True]
    by_id = {one["id"]: one["touches"] for one in body(client, f"{BTC}/zones/")["results"]}
    assert [one["chance"] for one in by_id[zones[0].pk]] == pytest.approx(chances)
    assert by_id[zones[1].pk][0]["reason"] == "price is inside"
    assert by_id[zones[2].pk] is None
    assert body(client, f"/api/v1/zones/{zones[0].pk}/")["touches"][0]["chance"] == pytest.approx(chances[0])


def test_api_refuses_what_is_no_price(zones: list[Zone]) -> None:
    client = client_with_key(make_user())
    for level in ("0", "nan", "abc", "-1"):
        assert client.get(f"{BTC}/reach/?level={level}").status_code == 400
