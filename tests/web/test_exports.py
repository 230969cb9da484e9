"""What leaves the product: the delayed picture for everyone, its frame, and files of what is seen."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from heatmaps.operations import stand
from heatmaps.pages import export, public
from heatmaps.pages.still import NothingToDrawError
from heatmaps.queries import latest_slice
from tests.factories import make_user
from tests.pages import client_of
from tests.world import make_world

if TYPE_CHECKING:
    from tests.world import World

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 20, tzinfo=dt.UTC)
PICTURE = "/public/binance:BTCUSDT.png"


@pytest.fixture
def world() -> World:
    return make_world(end=END, hours=24)


def test_the_public_picture_is_an_hour_late_or_more(world: World) -> None:
    times = [
        public.delayed(instrument=world.instrument, now=END + dt.timedelta(minutes=minutes)) for minutes in (0, 39, 40)
    ]
    assert [f"{time:%H:%M}" for time in times] == ["11:00", "11:00", "12:00"]
    assert public.delayed(instrument=world.instrument, now=END + dt.timedelta(days=9)) == END
    with pytest.raises(NothingToDrawError):
        public.delayed(instrument=world.instrument, now=END - dt.timedelta(hours=23))


def test_nothing_newer_is_in_the_picture(world: World) -> None:
    asked = {"symbol": "binance:BTCUSDT", "theme": "dark", "width": 1052}
    first, tag = public.picture_of(**asked, now=END)  # type: ignore[arg-type]  # they are
    assert public.picture_of(**asked, now=END + dt.timedelta(minutes=39)) == (first, tag)  # type: ignore[arg-type]
    later, other = public.picture_of(**asked, now=END + dt.timedelta(minutes=40))  # type: ignore[arg-type]
    assert (later != first, other != tag) == (True, True)


def test_the_landing_page_shows_the_picture_in_the_theme_of_the_device_or_the_one_chosen(world: World) -> None:
    stand(instrument_id=world.instrument.pk, now=END)
    light = f'<source media="(min-width: 720px) and (prefers-color-scheme: light)" srcset="{PICTURE}?theme=light"'
    assert light in Client().get("/").content.decode()
    for theme in ("dark", "light"):
        client = Client()
        client.cookies["theme"] = theme
        page = client.get("/").content.decode()
        assert "prefers-color-scheme: light" not in page.split("</picture>", maxsplit=1)[0].split("<picture>")[1]
        assert (f'src="{PICTURE}?theme=light"' in page) is (theme == "light")


def test_everyone_may_see_the_picture_and_keep_it(world: World) -> None:
    drawn = Client().get(PICTURE)
    assert (drawn.status_code, drawn.content[:8]) == (200, b"\x89PNG\r\n\x1a\n")
    assert drawn["Cache-Control"] == "public, max-age=300"
    assert Client().get(PICTURE, headers={"If-None-Match": drawn["ETag"]}).status_code == 304
    assert Client().get(f"{PICTURE}?theme=light&width=390").status_code == 200
    assert Client().get(f"{PICTURE}?width=5000").status_code == 400
    assert [Client().get(path).status_code for path in ("/public/BTC-USDT.png", "/embed/BTC-USDT/")] == [404, 404]


def test_only_the_embedded_page_may_stand_in_a_frame(world: World) -> None:
    page = Client().get("/embed/binance:BTCUSDT/")
    assert "frame-ancestors *" in page["Content-Security-Policy"]
    assert "X-Frame-Options" not in page
    assert "as of 15 Jan 12:20 UTC" in page.content.decode()
    assert "Not exchange data" in page.content.decode()
    for path in ("/", "/scorecard/", PICTURE):
        other = Client().get(path)
        assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
        assert other["X-Frame-Options"] == "DENY"


def test_the_landing_page_shows_it_once_there_is_something(world: World) -> None:
    assert "public-picture" not in Client().get("/").content.decode().replace("embed.css", "")
    stand(instrument_id=world.instrument.pk, now=END)
    cache.clear()
    html = Client().get("/").content.decode()
    assert 'src="/public/binance:BTCUSDT.png"' in html
    assert "as of 15 Jan 12:20 UTC" in html


def table(path: str) -> list[dict[str, str]]:
    response = client_of(make_user()).get(path)
    assert response.status_code == 200, response.content
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


def test_the_newest_exported_column_is_the_newest_of_the_map(world: World) -> None:
    rows = table("/t/binance:BTCUSDT/export/heat.csv?tf=5m")
    newest = [row for row in rows if row["time"] == "2026-01-15T12:20:00Z"]
    column = latest_slice(heatmap=world.heatmap, at=END)
    assert column is not None
    low, high = column.ends()
    near = {
        float(f"{edge:.8g}"): (round(usd), round(one), round(other))
        for edge, usd, one, other in zip(column.edges[:-1], column.usd, low, high, strict=True)
    }
    assert len(newest) > 50
    for row in newest:
        expected = near[float(row["price_low"])]
        assert (int(row["usd"]), int(row["usd_low_80"]), int(row["usd_high_80"])) == pytest.approx(expected, abs=1)
    assert {row["side"] for row in newest} == {"longs", "shorts"}


def test_csv_and_json_hold_the_same(world: World) -> None:
    client, path = client_of(make_user()), "/t/binance:BTCUSDT/export/zones"
    document = client.get(f"{path}.json").json()
    response = client.get(f"{path}.csv")
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    found = list(csv.DictReader(lines))
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in document["rows"]]
    assert found == texts
    assert document["note"] == "Estimate, not exchange data"
    assert (document["instrument"], document["as_of"]) == ("binance:BTCUSDT", "2026-01-15T12:20:00Z")
    assert response["Content-Disposition"].startswith('attachment; filename="binance-BTCUSDT-zones-')


def test_layers_are_exported_with_their_reasons(world: World) -> None:
    rows = {row["layer"]: row for row in table("/t/binance:BTCUSDT/export/layers.csv")}
    assert (rows["depth"]["value"], rows["depth"]["note"]) != ("", "")
    assert rows["crowding"]["value"] == ""
    assert rows["crowding"]["note"] == "funding: less than 14 d stored to compare with"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_read_as_a_formula(text: str) -> None:
    made = export.Export({"note": text}, ("a", "b"), [(text, -1.5)])
    told, _, row = csv.reader(io.StringIO(export.as_csv(made), newline=""))
    assert told[0].startswith("# note: ")
    assert row == [f"'{text}", "-1.5"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/t/binance:BTCUSDT/export/nonsense.csv", 400),
        ("/t/binance:BTCUSDT/export/heat.csv?tf=2h", 400),
        ("/t/binance:BTCUSDT/export/heat.csv?tf=5m&from=0", 400),
        ("/t/binance:BTCUSDT/export/heat.pdf", 404),
        ("/t/binance:NOUSDT/export/heat.csv", 404),
    ],
)
def test_what_is_not_offered_is_refused(path: str, status: int, world: World) -> None:
    assert client_of(make_user()).get(path).status_code == status


def test_a_picture_can_be_kept_with_its_caption(world: World) -> None:
    client = client_of(make_user())
    response = client.get("/t/binance:BTCUSDT/picture.png?width=1440&tf=1h&download=1")
    assert response["Content-Disposition"] == 'attachment; filename="binance-BTCUSDT-1h.png"'
