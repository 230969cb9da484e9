"""The screener: the same figures for a reader and a program, thin data last with its reason, and few statements."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heatmaps.models import Standing
from heatmaps.pages.figures import EN_DASH
from heatmaps.queries import Choice, screen
from market.models import Instrument
from tests.factories import make_instrument, make_user
from tests.pages import client_of

from .published import body, client_with_key
from .screened import STEP, add_bar, make_line, make_many

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def moment() -> dt.datetime:
    """The newest five minutes: pages read the clock."""
    return dt.datetime.fromtimestamp(timezone.now().timestamp() // 300 * 300, tz=dt.UTC)


@pytest.fixture
def client() -> Client:
    return client_of(make_user())


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def rows_of(html: str) -> list[str]:
    found = re.search(r"<tbody>(.*)</tbody>", html, re.DOTALL)
    return [words(row) for row in re.findall(r"<tr.*?</tr>", found[1], re.DOTALL)] if found else []


def rows(client: Client, query: str = "") -> list[str]:
    return rows_of(client.get(f"/screener/{query}").content.decode())


def names(client: Client, query: str = "") -> list[str]:
    return [row.split("-")[0] for row in rows(client, query)]


def test_a_line_says_value_interval_chance_and_what_it_rests_on(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="BTCUSDT", now=moment)
    (row,) = rows(client)
    assert row == (
        f"BTC-USDT Binance · BTCUSDT &nbsp; History History: ends {moment:%-d %b %Y} 100% of a week 60,000.0 — — "
        f"P81 of 90 d +0.0100% P50 of 90 d −1.33% 59,000{EN_DASH}59,200 $4.20M, 80% $2.10M{EN_DASH}8.40M touch 34% "
        "— none stands out 50% to shorts 14% longs to 80% shorts Ordinary"
    )
    assert "touch 12%" in rows(client, "?horizon=4h")[0]
    assert "too short" in rows(client, "?horizon=7d")[0]


def test_thin_data_stays_last_with_its_reason(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment, coverage_pct=34.0)
    make_line(symbol="BBBUSDT", now=moment, interest_percentile=None, interest_reason="not reported", crowding="",
              crowding_reason="open interest: not reported")  # fmt: skip
    make_line(symbol="CCCUSDT", now=moment, as_of=moment - 4 * STEP)
    make_instrument(symbol="DDDUSDT", is_live=True)
    add_bar(make_instrument(symbol="EEEUSDT"), moment)
    found = rows(client, "?sort=name")
    assert [row[:3] for row in found] == ["BBB", "AAA", "CCC", "DDD", "EEE"]
    assert "not reported" in found[0]
    reasons = ("covers 34% of a week", "the estimate is behind the bars", "no bars stored yet", "no estimate yet")
    assert [reason in row for row, reason in zip(found[1:], reasons, strict=True)] == [True] * 4
    assert names(client, "?sort=name&thin=hide") == ["BBB"]


def test_nothing_is_said_of_clusters_where_nothing_is_estimated(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment)
    make_instrument(symbol="BBBUSDT", is_live=True)
    estimated, bare = rows(client, "?sort=name")
    assert (estimated.count("none stands out"), estimated.count("no estimate yet")) == (1, 0)
    assert (bare.count("none stands out"), bare.count("no estimate yet")) == (0, 2)
    assert "compare with" not in bare


def test_stale_data_is_not_set_beside_the_others(moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment)
    Instrument.objects.update(is_live=True)
    lines = [screen(choice=Choice(), now=moment + minutes * dt.timedelta(minutes=1)) for minutes in (1, 2)]
    assert [one.reason for (one,) in lines] == ["", "its data is not current"]


def test_filters_and_orders(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment, interest_percentile=10.0)
    make_line(symbol="BBBUSDT", now=moment, interest_percentile=90.0, crowding="crowded and paying")
    make_line(symbol="CCCUSDT", now=moment, interest_percentile=None, interest_reason="not reported")
    assert names(client, "?sort=interest-percentile") == ["AAA", "BBB", "CCC"]
    assert names(client, "?sort=-interest-percentile") == ["BBB", "AAA", "CCC"]
    assert names(client, "?crowding=crowded+and+paying") == ["BBB"]
    assert names(client, "?text=cc") == ["CCC"]
    assert names(client, "?kind=pairs") == []
    assert names(client, "?sort=name&within=1.4") == ["AAA", "BBB", "CCC"]
    assert names(client, "?within=1.3") == []


def test_sort_links_keep_the_filter_and_turn_round(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment)
    html = client.get("/screener/?text=a&sort=-lean").content.decode()
    assert 'aria-sort="descending"><a href="?text=a&amp;sort=lean" id="sort-lean"' in html
    assert 'href="?text=a&amp;sort=-interest" id="sort-interest"' in html


@pytest.mark.parametrize(
    ("query", "status"),
    [("?sort=nonsense", 400), ("?within=x", 400), ("?horizon=9d", 400), ("?page=2", 404), ("?page=0", 400)],
)
def test_what_is_not_offered_is_refused(query: str, status: int, client: Client, moment: dt.datetime) -> None:
    make_line(symbol="AAAUSDT", now=moment)
    assert client.get(f"/screener/{query}").status_code == status


@pytest.mark.parametrize("address", ["/screener/", "/zones/"])
def test_what_no_field_shows_is_told_of_the_address(address: str, client: Client) -> None:
    html = client.get(address, {"page": "0"}).content.decode()
    assert "In the address, page: Ensure this value is greater than or equal to 1." in html
    assert "beside the fields" not in html


def statements(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


@pytest.mark.parametrize("path", ["/screener/", "/screener/?view=pictures", "/api/v1/screener/"])
def test_six_hundred_rows_take_as_many_statements_as_one(path: str, client: Client, moment: dt.datetime) -> None:
    make_line(symbol="BTCUSDT", now=moment)
    one = statements(client, path)
    Standing.objects.all().delete()
    Instrument.objects.update(symbol="OLD")
    make_many([f"N{number:03}USDT" for number in range(598)], moment)
    assert statements(client, path) == one
    assert len(screen(choice=Choice(), now=moment)) == 600
    assert one <= 16


def test_a_page_holds_a_hundred(client: Client, moment: dt.datetime) -> None:
    make_many([f"N{number:03}USDT" for number in range(120)], moment)
    first, second = (client.get(f"/screener/?sort=name&page={page}").content.decode() for page in (1, 2))
    assert f"1{EN_DASH}100 of 121" in first
    assert 'href="?sort=name&amp;page=2"' in first
    assert f"101{EN_DASH}121 of 121" in second
    assert client.get("/screener/?view=pictures").content.decode().count('class="multiple"') == 24


def test_programs_read_the_same(moment: dt.datetime) -> None:
    standing = make_line(symbol="BTCUSDT", now=moment)
    add_bar(make_instrument(symbol="EEEUSDT"), moment)
    found = body(client_with_key(make_user(email="program@example.com")), "/api/v1/screener/")
    assert (found["count"], found["next"]) == (2, None)
    first, second = found["results"]
    (zone,) = standing.chances
    assert first["below"]["zone"] == int(zone)
    assert (first["below"]["usd_low"], first["below"]["usd_high"]) == (2.1e6, 8.4e6)
    assert first["below"]["touches"] == [
        {"horizon": "4h", "chance": 0.12, "reason": None},
        {"horizon": "24h", "chance": 0.34, "reason": None},
        {"horizon": "3d", "chance": None, "reason": "too short"},
        {"horizon": "7d", "chance": None, "reason": "too short"},
    ]
    assert first["lean"] == {"share": 0.5, "low": pytest.approx(-1 / 7), "high": 0.8}
    assert (first["crowding"], first["reason"], second["reason"]) == (
        "ordinary", None, "no estimate yet: it needs bars and open interest",
    )  # fmt: skip
    assert (second["last"], second["lean"], second["above"]) == (60_000.0, None, None)


def test_a_small_picture_is_drawn_once_for_each_step(client: Client, moment: dt.datetime) -> None:
    make_line(symbol="BTCUSDT", now=moment)
    address = "/t/binance:BTCUSDT/small.png"
    assert f'src="{address}"' in client.get("/screener/?view=pictures").content.decode()
    drawn = client.get(address)
    assert (drawn.status_code, drawn["Content-Type"], drawn.content[:8]) == (200, "image/png", b"\x89PNG\r\n\x1a\n")
    again = client.get(address, headers={"If-None-Match": drawn["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{address}?theme=light").content != drawn.content
    assert client.get("/t/binance:NOUSDT/small.png").status_code == 404
