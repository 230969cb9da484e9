"""The data page: venues, series, strips, and what it costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from market.models import Instrument, VenueState
from market.pages import data as pages
from market.pages.strips import CELLS, draw
from market.queries.completeness import Completeness, Missing
from tests.factories import make_instrument, make_user
from tests.market.states import DAY, HOUR, MINUTE, cover, make_states
from tests.pages import client_of

if TYPE_CHECKING:
    import datetime as dt

    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return client_of(make_user(is_staff=True))


def loaded(now: dt.datetime, **options: object) -> pages.DataPage:
    usual = {"days": 7, "venue": "", "is_all": False, "page": 1}
    return pages.load(now=now, **usual | options)  # type: ignore[arg-type]  # a test may ask anything


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_venues_say_how_they_are(now: dt.datetime) -> None:
    make_states(now=now)
    said = {card.name: (card.label, card.detail, card.tone, card.enabled_count) for card in loaded(now).cards}
    assert said == {
        "Binance": ("Reachable", "", "ok", 1),
        "Bybit": ("Unreachable", "since 15 Jan 2026 08:00", "bad", 1),
        "OKX": ("Banned", "until 15 Jan 2026 14:00", "bad", 1),
        "Hyperliquid": ("Asked us to wait", "until 15 Jan 2026 12:01", "warn", 0),
    }


def test_a_venue_whose_pause_is_over_is_asked_at_once(now: dt.datetime) -> None:
    make_states(now=now)
    (bybit,) = [card for card in loaded(now + DAY).cards if card.name == "Bybit"]
    assert (bybit.label, bybit.next_text) == ("Unreachable", "at once")


def test_websockets_say_how_they_are(now: dt.datetime) -> None:
    make_states(now=now)
    feeds = {card.name: [(feed.state, feed.lag_text, feed.error) for feed in card.feeds] for card in loaded(now).cards}
    assert feeds["Binance"] == [("Connected", "0.6 / 1.3 s", "")]
    assert feeds["Bybit"] == [("Not connected", "—", "the connection was refused")]
    later = {card.name: [feed.state for feed in card.feeds] for card in loaded(now + HOUR).cards}
    assert later["Binance"] == ["Feed not running"]


def test_series_say_how_old_they_are_and_what_is_missing(now: dt.datetime) -> None:
    make_states(now=now)
    blocks = {block.instrument.key: block for block in loaded(now).blocks}
    btc = {row.name: row for row in blocks["binance:BTCUSDT"].rows}
    assert list(btc) == ["Bars 1 min", "Open interest", "Funding", "Liquidations", "Depth"]
    bars, liquidations = btc["Bars 1 min"], btc["Liquidations"]
    assert (bars.as_of_text, bars.lag_text, bars.state, bars.tone) == ("15 Jan 2026 11:59", "60 s", "Current", "ok")
    assert bars.strip.told == (
        "12 Jan 14:00 to 17:00: waiting to be fetched",
        "12 Jan 12:00 to 14:00: absent at the source, asked 3 times, the venue has nothing there",
    )
    assert liquidations.sampling == "latest per second: a lower bound"
    assert liquidations.strip.told == ("12 Jan 12:00 to 17:00: lost for good, the websocket was away",)
    assert {run.state for run in bars.strip.runs} == {"present", "unknown", "absent", "waiting"}


def test_what_has_ended_or_never_came_says_why(now: dt.datetime) -> None:
    make_states(now=now)
    make_instrument(symbol="NEWUSDT", is_live=True)
    blocks = {block.instrument.key: block for block in loaded(now).blocks}
    assert blocks["binance:OLDUSDT"].state == "ended at 13 Jan 2026 12:00"
    assert [row.state for row in blocks["binance:OLDUSDT"].rows] == ["Ended"]
    assert blocks["bybit:BTCUSDT"].reason == "Bybit has not been reachable since 15 Jan 2026 08:00."
    assert blocks["binance:NEWUSDT"].reason == "Nothing has arrived yet."
    assert [row.state for row in blocks["okx:BTC-USDT-SWAP"].rows] == ["Stale"]


def test_only_what_is_followed_or_stored_is_listed_unless_all_is_asked_for(now: dt.datetime) -> None:
    for symbol in ("AUSDT", "BUSDT", "CUSDT"):
        made = make_instrument(symbol=symbol, is_live=symbol == "AUSDT")
        if symbol == "BUSDT":
            cover(made, "bars", now - DAY, now)
    make_instrument(venue="bybit", is_live=True)
    followed = [block.instrument.key for block in loaded(now).blocks]
    assert followed == ["binance:AUSDT", "bybit:BTCUSDT", "binance:BUSDT"]
    assert len(loaded(now, is_all=True).blocks) == 4
    assert [block.instrument.key for block in loaded(now, venue="bybit").blocks] == ["bybit:BTCUSDT"]


def test_a_minute_is_seen_in_ninety_days(now: dt.datetime) -> None:
    span = (now - 90 * DAY, now)
    at = now - 40 * DAY
    strip = draw(judged=Completeness(0.999_99, (Missing(at, at + MINUTE, "lost"),)), span=span)
    assert [run.state for run in strip.runs] == ["present", "lost", "present"]
    assert (strip.runs[1].width, strip.share_text) == (f"{1 / CELLS:.4%}", "99.99%")
    assert strip.label == "99.99% present; 60 s lost for good"


def test_strips_are_bounded_however_many_holes_there_are(now: dt.datetime) -> None:
    span = (now - DAY, now)
    holes = tuple(Missing(span[0] + 2 * i * MINUTE, span[0] + (2 * i + 1) * MINUTE, "absent") for i in range(720))
    strip = draw(judged=Completeness(0.5, holes), span=span)
    assert (len(strip.runs) <= CELLS, len(strip.told), strip.omitted) == (True, 12, 708)


def test_the_last_moment_of_a_span_is_drawn(now: dt.datetime) -> None:
    span = (now - DAY, now)
    strip = draw(judged=Completeness(0.99, (Missing(now - MINUTE, now, "waiting"),)), span=span)
    assert [run.state for run in strip.runs] == ["present", "waiting"]
    assert (strip.runs[0].x, strip.runs[-1].width) == ("0.0000%", f"{1 / CELLS:.4%}")


def test_page_is_shown_with_its_words(staff: Client) -> None:
    make_states(now=timezone.now())
    said = text_of(staff, "/data/")
    for part in ("Unreachable since", "Banned until", "lost for good", "ended at", "Quarantine 5", "latest per second"):
        assert part in said


def test_empty_page_says_what_to_do(staff: Client) -> None:
    said = text_of(staff, "/data/")
    assert "No real venue is asked for anything." in said
    assert "manage.py instruments sync" in said


def test_venues_are_sent_again_alone(staff: Client) -> None:
    make_states(now=timezone.now())
    body = staff.get("/data/venues/").content.decode()
    assert body.startswith('<section id="venues"')
    assert "<html" not in body


@pytest.mark.parametrize(
    "query",
    ["days=8", "days=x", "page=0", "page=x", "page=99999999999", "shown=nothing", "venue=x%00", "venue=" + "x" * 33],
)
def test_strange_filters_are_refused(query: str, staff: Client) -> None:
    assert staff.get(f"/data/?{query}").status_code == 400


def test_a_page_beyond_the_last_is_not_found(staff: Client) -> None:
    assert staff.get("/data/?page=2").status_code == 404


def test_venues_nobody_knows_have_no_instruments(staff: Client) -> None:
    make_instrument(is_live=True)
    assert "No instruments here" in text_of(staff, "/data/?venue=x<b>%22")


def test_page_costs_the_same_for_one_instrument_and_for_many(staff: Client, now: dt.datetime) -> None:
    counts = []
    for more in (1, 30):
        for number in range(more):
            made = make_instrument(symbol=f"X{more}N{number}", is_live=True)
            VenueState.objects.get_or_create(venue=f"venue{more}{number % 3}")
            cover(made, "bars", timezone.now() - DAY, timezone.now())
            cover(made, "depth", timezone.now() - DAY, timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert staff.get("/data/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 14
    assert Instrument.objects.count() == 31
    assert "Page 2 of 2, 31 instruments" in text_of(staff, "/data/?page=2")
