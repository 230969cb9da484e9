"""The index of zones: all instruments together, chosen, in order, with the same figures as their own pages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heatmaps.models import Standing, Zone
from heatmaps.pages.figures import EN_DASH
from tests.factories import make_heatmap, make_user, make_zone
from tests.pages import client_of

from .screened import STEP, make_line, make_many
from .test_pages_screener import rows_of, words

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def moment() -> dt.datetime:
    return dt.datetime.fromtimestamp(timezone.now().timestamp() // 300 * 300, tz=dt.UTC)


@pytest.fixture
def client() -> Client:
    return client_of(make_user())


def labels(client: Client, query: str = "") -> list[str]:
    return [row.split()[0] for row in rows_of(client.get(f"/zones/{query}").content.decode())]


@pytest.fixture
def zones(moment: dt.datetime) -> list[Zone]:
    """Z-1 of BTC lives; of ETH Z-2 lives above the price and Z-3 was swept."""
    make_line(symbol="BTCUSDT", now=moment)
    standing = make_line(symbol="ETHUSDT", now=moment, number=2, position_side=-1)
    eth = Zone.objects.get(number=2)
    Zone.objects.filter(pk=eth.pk).update(price_low=61_000.0, price_high=61_500.0, usd=9e6)
    swept = make_zone(heatmap=standing.heatmap, born_at=moment - 9 * STEP, number=3)
    Zone.objects.filter(pk=swept.pk).update(state="swept", cause="through", ended_at=moment - 3 * STEP)
    Standing.objects.filter(pk=standing.pk).update(chances={str(eth.pk): {"24h": 0.71}})
    return list(Zone.objects.order_by("number"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Z-2", "Z-1"]),
        ("?state=all", ["Z-2", "Z-1", "Z-3"]),
        ("?state=past", ["Z-3"]),
        ("?state=swept", ["Z-3"]),
        ("?state=expired", []),
        ("?side=1", ["Z-1"]),
        ("?side=-1", ["Z-2"]),
        ("?text=eth&state=all", ["Z-2", "Z-3"]),
        ("?chance=50", ["Z-2"]),
        ("?chance=30", ["Z-2", "Z-1"]),
        ("?chance=10&horizon=4h", ["Z-1"]),
        ("?sort=nearest&state=all", ["Z-2", "Z-1", "Z-3"]),
        ("?sort=largest", ["Z-2", "Z-1"]),
        ("?sort=likeliest&horizon=4h", ["Z-1", "Z-2"]),
    ],
)
def test_zones_are_chosen_and_in_order(query: str, expected: list[str], client: Client, zones: list[Zone]) -> None:
    assert labels(client, query) == expected


def test_a_row_says_where_how_much_how_likely_and_what_became_of_it(client: Client, zones: list[Zone]) -> None:
    living, other, past = rows_of(client.get("/zones/?state=all").content.decode())
    born = f"{zones[1].born_at:%d %b %H:%M}"
    assert living.startswith(
        f"Z-2 Shorts ETH-USDT Binance Active 61,000{EN_DASH}61,500 −1.50% $9.00M $2.10M{EN_DASH}8.40M 71% {born}"
    )
    assert "34%" in other
    assert f"Swept {zones[2].ended_at:%d %b %H:%M} price traded through all of it" in past
    assert past.endswith(f"{zones[2].born_at:%d %b %H:%M} 30 min")


def test_zones_of_a_map_that_is_not_shown_are_left_out(client: Client, zones: list[Zone], moment: dt.datetime) -> None:
    hidden = make_heatmap(instrument=zones[0].heatmap.instrument, slug="path-only", built_through=moment)
    make_zone(heatmap=hidden, born_at=moment, number=9)
    assert labels(client) == ["Z-2", "Z-1"]


@pytest.mark.parametrize(
    ("query", "status"), [("?state=nonsense", 400), ("?chance=101", 400), ("?page=2", 404), ("?sort=x", 400)]
)
def test_what_is_not_offered_is_refused(query: str, status: int, client: Client, zones: list[Zone]) -> None:
    assert client.get(f"/zones/{query}").status_code == status


def test_pages_of_fifty_take_as_many_statements_as_one_row(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="BTCUSDT", now=moment)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            html = client.get("/zones/").content.decode()
        counts.append(len(asked))
        if len(counts) == 1:
            make_many([f"N{number:03}USDT" for number in range(60)], moment)
    assert counts[0] == counts[1]
    assert f"1{EN_DASH}50 of 62" in words(html)
    assert 'id="page-after" href="?page=2"' in html
