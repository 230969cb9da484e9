"""An asset pair on pages and in the API: where its map comes from, and who is missing from it."""

from __future__ import annotations

import datetime as dt
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from heatmaps import picture
from heatmaps.pages import absences
from heatmaps.queries import list_zones, member_shares
from market import operations as market
from market.models import Instrument, PairDay
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.web.published import API, body, client_with_key
from tests.world import World, lasting_world, make_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
CONTEXT = ("context-at", "context-gauge", "context-state", "context-levels")
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
# OKX was heard of last at 11:25.
DOWN = dt.timedelta(minutes=35)
KEY = {"key": "pair:BTC-USDT"}
TERMINAL = "/t/pair:BTC-USDT/"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(
        django_db_blocker, end=END, make=partial(make_pair, down_hours=DOWN / dt.timedelta(hours=1))
    ) as made:
        yield made


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


def words(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def rows(client: Client) -> dict[str, list[str]]:
    """The cells of the members' table, by instrument."""
    page = client.get(TERMINAL).content.decode()
    table = re.search(r'<section id="members".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert table
    found = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table[1], re.DOTALL):
        cells = [" ".join(re.sub(r"<[^>]+>|&nbsp;", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row)]
        found[cells[0]] = cells[1:]
    return found


@pytest.mark.parametrize("name", ["BTC-USDT", "btc-usdt"])
def test_the_name_alone_leads_to_the_pair(world: World, member: Client, name: str) -> None:
    response = member.get(f"/t/{name}/?at=2026-01-15T11:00:00Z")
    assert (response.status_code, response["Location"]) == (302, f"{TERMINAL}?at=2026-01-15T11%3A00%3A00Z")


def test_a_symbol_alone_leads_to_its_instrument_and_an_unknown_one_nowhere(world: World, member: Client) -> None:
    assert member.get("/t/BTC-USDT-SWAP/")["Location"] == "/t/okx:BTC-USDT-SWAP/"
    assert member.get("/t/NONE-USDT/").status_code == 404


def test_table_says_what_each_venue_brings(world: World, member: Client) -> None:
    found = rows(member)
    assert list(found) == ["Binance BTCUSDT", "Bybit BTCUSDT", "OKX BTC-USDT-SWAP", "Binance BTCUSD_PERP"]
    assert found["OKX BTC-USDT-SWAP"][:4] == ["Missing since 11:25 UTC", "—", "—", "—"]
    assert re.fullmatch(r"\$[\d.]+B last known, 15 Jan 11:25", found["OKX BTC-USDT-SWAP"][4])
    shares = {name: float(cells[1].rstrip("%")) for name, cells in found.items() if cells[1] != "—"}
    assert shares == pytest.approx(
        {"Binance BTCUSDT": 61.7, "Bybit BTCUSDT": 34.0, "Binance BTCUSD_PERP": 4.3}, abs=1.0
    )
    assert found["Binance BTCUSDT"][0] == "In, its data is late"
    assert re.fullmatch(r"\$[\d.]+B 51\.\d%", found["Binance BTCUSDT"][4])


def test_partial_map_says_so_first(world: World, member: Client) -> None:
    page = words(member, TERMINAL)
    assert "Partial: OKX has been missing since 11:25 UTC. 83% of known open interest is in this map." in page
    for expected in (
        "BTC-USDT across venues",
        "4 instruments · candles of Binance",
        "Where this comes from",
        "are of Binance, which had the largest open interest when the day began",
        "USDT, USDC and USD count as one dollar",
        "Nothing is scored yet.",
        "python3 manage.py score INSTRUMENT --against hourly-totals",
        "sum-open-interest 2",
    ):
        assert expected in page, expected
    assert "Not this venue's whole market" not in page
    assert "perpetual" not in page


def test_live_fragment_brings_members_and_notice(world: World, member: Client) -> None:
    page = member.get(reverse("heatmaps:live", kwargs=KEY)).content.decode()
    swapped = re.findall(r'id="([a-z-]+)"[^>]* hx-swap-oob="true"', page)
    assert swapped == ["strip", "outages", "clusters", *CONTEXT, "record", "zone-list", "partial", "members"]


def test_figures_that_differ_by_venue_or_by_member_are_not_made_up(world: World, member: Client) -> None:
    page = words(member, TERMINAL)
    assert page.count("one for each venue") == 3
    assert re.search(r"Open interest — last complete 35 min ago", page)


def test_chart_data_tell_when_who_was_missing(world: World, member: Client) -> None:
    document = member.get(reverse("heatmaps:chart-data", kwargs=KEY), {"tf": "5m"}).json()
    since, until = int((END - DOWN).timestamp() * 1000), int(END.timestamp() * 1000)
    assert document["absences"]["spans"] == [{"from_ms": since, "until_ms": until, "missing": "OKX BTC-USDT-SWAP"}]
    later = absences.between(heatmap=world.heatmap, since=END - dt.timedelta(minutes=10), until=END)
    assert later is not None
    assert later["spans"] == [{"from_ms": until - 600_000, "until_ms": until, "missing": "OKX BTC-USDT-SWAP"}]
    assert absences.newest(heatmap=world.heatmap) == "OKX BTC-USDT-SWAP"
    single = member.get(reverse("heatmaps:chart-data", kwargs={"key": "binance:BTCUSDT"})).json()
    assert single["absences"] is None


def test_picture_says_that_it_is_partial(world: World, member: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    notices: list[str] = []
    draw = picture.draw

    def note(*, scene: Any, **size: Any) -> bytes:  # noqa: ANN401  # as the picture takes them
        notices.append(scene.notice)
        return draw(scene=scene, **size)

    monkeypatch.setattr(picture, "draw", note)
    response = member.get(reverse("heatmaps:picture", kwargs=KEY), {"tf": "1h", "theme": "dark", "width": "1052"})
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert notices == ["Partial: without OKX BTC-USDT-SWAP"]


def test_instruments_page_lists_pairs_first(world: World, member: Client) -> None:
    make_instrument(venue="aaa", symbol="AAAUSDT", is_live=True)
    page = member.get(reverse("heatmaps:instruments")).content.decode()
    links = re.findall(r'href="/t/([^"]+)/"', page)
    assert links[0] == "pair:BTC-USDT"
    assert "BTC-USDT All venues" in " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_zone_page_names_the_members_of_its_evidence(world: World, member: Client) -> None:
    zone = list_zones(heatmap=world.heatmap)[0]
    page = words(member, reverse("heatmaps:zone", kwargs={"pk": zone.pk}))
    assert re.search(r"Of binance:BTCUSDT [\d.]+% of the heat", page)
    assert "Of okx:BTC-USDT-SWAP" in page


@pytest.mark.parametrize(
    "address", [TERMINAL, "/t/pair:BTC-USDT/live/", "/t/pair:BTC-USDT/chart.json", "/tick/pair:BTC-USDT/"]
)
def test_pages_of_pairs_are_for_members(address: str, world: World, member: Client) -> None:
    assert member.get(address).status_code == 200
    assert member.post(address).status_code == 405
    response = client_of(None).get(address)
    assert (response.status_code, response["Location"][:12]) == (302, "/login/?next")


def questions(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", [TERMINAL, "/t/pair:BTC-USDT/live/", "/t/pair:BTC-USDT/chart.json"])
def test_pages_cost_the_same_for_four_members_and_for_six(address: str, world: World, member: Client) -> None:
    four = questions(member, address)
    for venue in ("kraken", "aevo"):
        make_instrument(venue=venue, is_live=True)
    market.ensure_pairs()
    assert questions(member, address) == four


def test_new_member_without_rows_is_missing_and_counts_for_nothing(world: World, member: Client) -> None:
    make_instrument(venue="kraken", is_live=True)
    market.ensure_pairs()
    assert rows(member)["Kraken BTCUSDT"][:2] == ["No map yet", "—"]
    assert "OKX has been missing since 11:25 UTC and Kraken has no map yet. 83% of" in words(member, TERMINAL)


def test_member_that_is_no_longer_followed_is_missed_by_nobody(world: World, member: Client) -> None:
    Instrument.objects.filter(venue="okx").update(is_live=False)
    shares = member_shares(heatmap=world.heatmap, now=END)
    assert shares is not None
    assert shares.missing == []
    assert shares.coverage_pct == pytest.approx(100.0)
    assert "Partial:" not in words(member, TERMINAL)
    assert rows(member)["OKX BTC-USDT-SWAP"][0] == "History, ended before"


def test_api_tells_members_and_coverage(world: World) -> None:
    client = client_with_key(make_user())
    answer = body(client, f"{API}/instruments/pair:BTC-USDT/heatmap/")
    assert (answer["is_partial"], answer["coverage_pct"]) == (True, pytest.approx(83.5, abs=0.2))
    okx = next(one for one in answer["members"] if one["venue"] == "okx")
    assert (okx["is_in"], okx["is_missing"], okx["share_pct"]) == (False, True, None)
    assert okx["missing_since"] == okx["open_interest_at"] == okx["as_of"] == "2026-01-15T11:25:00Z"
    inside = [one for one in answer["members"] if one["is_in"]]
    assert sum(one["share_pct"] for one in inside) == pytest.approx(100.0)
    near = [one for one in answer["bins"] if abs(one["price_low"] / answer["close"] - 1.0) < 0.0995]
    # Members that are multiples of each other round all bins the same way.
    assert sum(one["usd"] for one in near) == pytest.approx(
        sum(one["longs_usd"] + one["shorts_usd"] for one in inside), rel=0.022
    )
    before = body(client, f"{API}/instruments/pair:BTC-USDT/heatmap/?at=2026-01-15T11:20:00Z")
    assert (before["is_partial"], before["coverage_pct"]) == (False, pytest.approx(100.0))
    assert {one["is_in"] for one in before["members"]} == {True}


def test_api_of_one_instrument_has_no_members(world: World) -> None:
    answer = body(client_with_key(make_user()), f"{API}/instruments/binance:BTCUSDT/heatmap/")
    assert (answer["is_partial"], answer["coverage_pct"], answer["members"]) == (False, None, None)


def test_a_stand_in_for_the_leader_is_named_as_one(world: World, member: Client) -> None:
    days = PairDay.objects.filter(pair=world.instrument)
    okx = Instrument.objects.get(venue="okx").pk
    for day in days:
        PairDay.objects.filter(pk=day.pk).update(ranking=[okx, *(one for one in day.ranking if one != okx)])
    assert "are of Binance for now: the venue with the largest open interest is missing" in words(member, TERMINAL)
