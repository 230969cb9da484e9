"""What the terminal's scripts fetch: chart data, tiles, the picture, the tick."""

from __future__ import annotations

import datetime as dt
import gzip
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from heatmaps.core.tile import TILE, decode
from heatmaps.models import Tile
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.world import STEP_MS, World, add_bars, lasting_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 20, tzinfo=dt.UTC)
END_MS = round(END.timestamp() * 1000)
KEY = {"key": "binance:BTCUSDT"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with lasting_world(django_db_blocker, end=END) as made:
        yield made


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


def chart(client: Client, key: str = KEY["key"], **query: str | int) -> dict[str, Any]:
    response = client.get(reverse("heatmaps:chart-data", kwargs={"key": key}), query)
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    return document


@pytest.mark.parametrize(("timeframe", "seconds"), [("5m", 300), ("15m", 900), ("1h", 3600), ("4h", 14_400)])
def test_chart_bars_lie_on_the_grid_of_their_time_frame(
    timeframe: str, seconds: int, world: World, member: Client
) -> None:
    document = chart(member, tf=timeframe)
    lengths = {len(column) for column in document["bars"].values()}
    assert len(lengths) == 1
    assert document["step_ms"] == seconds * 1000
    assert document["start_ms"] % document["step_ms"] == 0
    count = lengths.pop()
    last = document["start_ms"] + (count - 1) * document["step_ms"]
    assert last <= END_MS - STEP_MS < last + document["step_ms"]


def test_open_bar_of_a_longer_time_frame_is_sent(world: World, member: Client) -> None:
    hourly, fives = chart(member, tf="1h"), chart(member, tf="5m")
    assert hourly["bars"]["close"][-1] == fives["bars"]["close"][-1]
    assert hourly["bars"]["high"][-1] == max(fives["bars"]["high"][-4:])


def test_newer_bars_start_at_the_one_asked_for(world: World, member: Client) -> None:
    whole = chart(member, tf="1h")
    last = whole["start_ms"] + (len(whole["bars"]["close"]) - 1) * whole["step_ms"]
    tail = chart(member, tf="1h", since=last)
    assert (tail["start_ms"], tail["bars"]["close"]) == (last, whole["bars"]["close"][-1:])
    assert tail["heat"]["built_through_ms"] == END_MS


def test_tiles_lie_under_the_address_that_comes_with_the_map(world: World, member: Client) -> None:
    base = chart(member, tf="1h")["heat"]["tiles_url"]
    assert f"{base}0/{tiles(world)[0].row}/{tiles(world)[0].col}.bin" == tile_address(tiles(world)[0])


def test_older_bars_come_without_the_map(world: World, member: Client) -> None:
    whole = chart(member, tf="5m")
    middle = whole["start_ms"] + 100 * whole["step_ms"]
    older = chart(member, tf="5m", until=middle)
    assert older["bars"]["close"][-100:] == whole["bars"]["close"][:100]
    assert (older["heat"], older["slice"]) == (None, None)


def test_chart_names_holes_instead_of_filling_them(member: Client) -> None:
    make_instrument(symbol="ETHUSDT")
    document = chart(member, "binance:ETHUSDT", tf="1h")
    assert document["bars"]["close"] == []
    assert (document["heat"], document["slice"], document["zones"], document["as_of_ms"]) == (None, None, [], None)


def test_chart_is_light(world: World, member: Client) -> None:
    response = member.get(reverse("heatmaps:chart-data", kwargs=KEY), {"tf": "5m"})
    assert len(gzip.compress(response.content)) <= 30_000


@pytest.mark.parametrize(
    "query",
    [
        {"tf": "7m"},
        {"since": "x"},
        {"until": "-1"},
        {"until": "9" * 40},
        {"until": "0" * 16 + "9" * 40},
        {"since": "\u0661"},
    ],
)
def test_chart_refuses_what_it_does_not_offer(query: dict[str, str], world: World, member: Client) -> None:
    assert member.get(reverse("heatmaps:chart-data", kwargs=KEY), query).status_code == 400


def tile_address(tile: Tile, release: str = "open-interest-2-r1") -> str:
    place = {"release": release, "level": tile.level, "row": tile.row, "col": tile.col}
    return reverse("heatmaps:tile", kwargs=KEY | place)


def tiles(world: World) -> list[Tile]:
    return list(Tile.objects.filter(heatmap=world.heatmap, level=0, row__gt=0).order_by("col", "row"))


def get_tile(client: Client, tile: Tile, **headers: str) -> Response:
    return client.get(tile_address(tile), headers={"accept-encoding": "gzip"} | headers)


def test_closed_tile_is_kept_for_ever_as_it_is_stored(world: World, member: Client) -> None:
    tile = tiles(world)[0]
    response = get_tile(member, tile)
    assert response.content == bytes(tile.body)
    assert response["Content-Encoding"] == "gzip"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"


def test_open_tile_is_kept_for_seconds_and_asked_for_again(world: World, member: Client) -> None:
    tile = tiles(world)[-1]
    response = get_tile(member, tile)
    assert response["Cache-Control"] == "private, max-age=10"
    again = get_tile(member, tile, **{"if-none-match": response["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", response["ETag"])


def test_tile_is_unpacked_for_who_cannot(world: World, member: Client) -> None:
    tile = tiles(world)[0]
    response = member.get(tile_address(tile))
    assert "Content-Encoding" not in response.headers
    assert response.content == gzip.decompress(bytes(tile.body))
    assert decode(bytes(tile.body)).shape == (TILE, TILE)


def test_tiles_beyond_the_map_are_not_found(world: World, member: Client) -> None:
    tile = tiles(world)[0]
    tile.col -= 50
    assert get_tile(member, tile).status_code == 404
    assert member.get(tile_address(tiles(world)[0], release="open-interest-99-r1")).status_code == 404


@pytest.mark.parametrize(
    "release", ["nonsense", "%00-1", "open-interest-%00", "open-interest-2-r%00", "open-interest-2-r", "%FF-1"]
)
def test_tiles_of_strange_releases_are_not_found(release: str, world: World, member: Client) -> None:
    address = tile_address(tiles(world)[0])
    assert member.get(address.replace("open-interest-2-r1", release)).status_code == 404


def test_tick_is_unchanged_until_something_is_new(world: World, member: Client) -> None:
    address = reverse("heatmaps:tick", kwargs=KEY)
    first = member.get(address)
    assert set(first.json()) == {"instrument", "v", "now_ms", "as_of_ms", "stale_after_ms"}
    assert first.json()["as_of_ms"] == END_MS
    assert member.get(address, headers={"if-none-match": first["ETag"]}).status_code == 304


def test_tick_of_a_live_instrument_says_when_it_turns_stale(member: Client) -> None:
    add_bars(instrument=make_instrument(symbol="ETHUSDT", is_live=True), end=END, hours=1)
    tick = member.get(reverse("heatmaps:tick", kwargs={"key": "binance:ETHUSDT"})).json()
    assert tick["stale_after_ms"] - tick["as_of_ms"] == 75_000


@pytest.mark.parametrize("width", [390, 1052, 1440])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_picture_is_light_and_known_again(width: int, theme: str, world: World, member: Client) -> None:
    address, asked = reverse("heatmaps:picture", kwargs=KEY), {"width": str(width), "theme": theme}
    response = member.get(address, asked)
    assert response["Content-Type"] == "image/png"
    assert len(response.content) <= 40_000
    again = member.get(address, asked, headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("query", [{"width": "1053"}, {"width": "x"}, {"tf": "2h"}])
def test_picture_refuses_other_sizes(query: dict[str, str], world: World, member: Client) -> None:
    assert member.get(reverse("heatmaps:picture", kwargs=KEY), query).status_code == 400


@pytest.mark.parametrize("name", ["terminal", "chart-data", "live", "picture", "tick"])
def test_strangers_are_sent_to_the_login_page(name: str, world: World) -> None:
    response = client_of(None).get(reverse(f"heatmaps:{name}", kwargs=KEY))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))
