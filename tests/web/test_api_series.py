"""Series, coverage and brackets through the API: each answer says how old and how complete it is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from market import series as s
from market.api import samples
from market.models import Instrument, LeverageBracket
from market.operations import store
from tests.factories import make_instrument, make_user
from tests.market.states import make_states
from tests.web.published import API, body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

    from market.series import SeriesName

pytestmark = pytest.mark.django_db
BTC = f"{API}/instruments/binance:BTCUSDT"
NAN = float("nan")
SERIES = ("open-interest", "funding", "liquidations", "depth", "account-ratio")


@pytest.fixture
def client() -> Client:
    return client_with_key(make_user())


def put(instrument: Instrument, series: SeriesName, now: dt.datetime, *rows: tuple[float, ...]) -> None:
    """Store rows whose times are minutes before ``now``."""
    records = np.array([(s.epoch_ms(now) - round(row[0] * 60_000), *row[1:]) for row in rows], dtype=s.DTYPES[series])
    store(instrument_id=instrument.pk, series=series, rows=records, now=now)


def test_open_interest_says_how_old_and_how_complete_it_is(client: Client, now: dt.datetime) -> None:
    instrument = make_instrument(is_live=True)
    put(instrument, "open_interest", now, (20, 7.0, 700.0, 100.0), (15, 8.0, NAN, NAN), (5, 9.0, NAN, NAN))
    answer = body(client, f"{BTC}/open-interest/?since=2026-01-15T11:35:00Z&until=2026-01-15T12:00:00Z")
    unknown = {"open_interest_value": None, "mark_price": None}
    assert answer["rows"] == [
        {"time": "2026-01-15T11:40:00Z", "open_interest": 7.0, "open_interest_value": 700.0, "mark_price": 100.0},
        {"time": "2026-01-15T11:45:00Z", "open_interest": 8.0, **unknown},
        {"time": "2026-01-15T11:55:00Z", "open_interest": 9.0, **unknown},
    ]
    assert (answer["as_of"], answer["stale_after"]) == ("2026-01-15T11:55:00Z", "2026-01-15T12:10:00Z")
    holes = [("11:45:00Z", "11:50:00Z", "unknown"), ("11:55:00Z", "12:00:00Z", "unknown")]
    complete = answer["completeness"]
    assert [(hole["start_at"][11:], hole["end_at"][11:], hole["state"]) for hole in complete["holes"]] == holes
    assert (complete["share"], complete["hole_count"]) == (pytest.approx(0.6), 2)


def test_liquidations_of_a_lost_stretch_are_a_lower_bound(client: Client) -> None:
    now = timezone.now()
    make_states(now=now)
    Instrument.objects.update(liquidation_sampling="all")
    whole = body(client, f"{BTC}/liquidations/")
    assert (whole["sampling"], whole["is_lower_bound"], whole["completeness"]["share"]) == ("all", False, 1.0)
    since, until = ((now - dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (4, 2))
    lost = body(client, f"{BTC}/liquidations/?since={since}&until={until}")
    (hole,) = lost["completeness"]["holes"]
    assert (lost["is_lower_bound"], hole["state"], hole["reason"]) == (True, "lost", "the websocket was away")
    Instrument.objects.update(liquidation_sampling="latest per second")
    sampled = body(client, f"{BTC}/liquidations/")
    assert (sampled["sampling"], sampled["is_lower_bound"]) == ("latest per second", True)


def test_liquidations_name_the_side(client: Client, now: dt.datetime) -> None:
    put(make_instrument(), "liquidations", now, (2, 1, 100.0, 0.5, 0), (1, -1, 101.0, 2.0, 0))
    rows = body(client, f"{BTC}/liquidations/?until=2026-01-15T12:00:00Z")["rows"]
    assert [(row["position_side"], row["price"], row["quantity"]) for row in rows] == [
        ("long", 100.0, 0.5),
        ("short", 101.0, 2.0),
    ]


def test_other_series_say_null_for_what_was_not_reported(client: Client, now: dt.datetime) -> None:
    instrument = make_instrument()
    put(instrument, "funding", now, (0, 0.0001, NAN))
    put(instrument, "account_ratio", now, (0, 1.25))
    put(instrument, "depth", now, (0, 100.0, *range(1, 6), NAN, *range(11, 17)))
    rate = {"time": "2026-01-15T12:00:00Z", "rate": 0.0001, "interval_s": None}
    assert body(client, f"{BTC}/funding/")["rows"] == [rate]
    assert body(client, f"{BTC}/account-ratio/")["rows"] == [{"time": "2026-01-15T12:00:00Z", "ratio": 1.25}]
    (depth,) = body(client, f"{BTC}/depth/")["rows"]
    assert (depth["mid"], depth["within"][0], depth["within"][-1]) == (
        100.0,
        {"bps": 10, "bid": 1.0, "ask": 11.0},
        {"bps": 500, "bid": None, "ask": 16.0},
    )


@pytest.mark.parametrize("series", SERIES)
def test_nothing_is_an_empty_list(series: str, client: Client) -> None:
    make_instrument(is_live=True)
    answer = body(client, f"{BTC}/{series}/")
    assert (answer["rows"], answer["as_of"], answer["stale_after"], answer["next_since"]) == ([], None, None, None)
    assert (answer["completeness"]["share"], answer["completeness"]["hole_count"]) == (0.0, 1)


def test_long_series_come_page_by_page(client: Client, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "ROWS_MOST", 2)
    instrument = make_instrument()
    put(instrument, "account_ratio", now, *((5 * step, 1 + step) for step in range(5, 0, -1)))
    # Three prints of one millisecond are not cut apart.
    prints = [
        (4, 1, 100.0, 1.0, 0),
        (3, 1, 100.0, 1.0, 0),
        (3, 1, 100.0, 2.0, 0),
        (3, -1, 100.0, 1.0, 0),
        (1, 1, 9.0, 1.0, 0),
    ]
    put(instrument, "liquidations", now, *prints)
    for series, sizes in (("account-ratio", [2, 2, 1]), ("liquidations", [4, 1])):
        seen, query = [], "since=2026-01-15T11:00:00Z"
        while query:
            answer = body(client, f"{BTC}/{series}/?until=2026-01-15T12:00:00Z&{query}")
            seen.append(len(answer["rows"]))
            assert answer["completeness"]["until"] == (answer["next_since"] or "2026-01-15T12:00:00Z")
            query = answer["next_since"] and f"since={answer['next_since']}"
        assert seen == sizes


@pytest.mark.parametrize(
    "query",
    [
        "since=x",
        "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
        "until=0001-01-01T00:00:00Z",
        "since=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z",
    ],
)
@pytest.mark.parametrize("series", SERIES)
def test_strange_spans_are_refused(series: str, query: str, client: Client) -> None:
    make_instrument()
    assert list(body(client, f"{BTC}/{series}/?{query}", status=400)) in (["since"], ["until"])


def test_coverage_tells_every_series(client: Client) -> None:
    make_states(now=timezone.now())
    answer = body(client, f"{BTC}/coverage/?days=7")
    said = {one["series"]: [hole["state"] for hole in one["completeness"]["holes"]] for one in answer["series"]}
    assert said["bars"] == ["unknown", "absent", "waiting"]
    assert said["liquidations"] == ["unknown", "lost"]
    assert set(said) == {"bars", "depth", "funding", "liquidations", "open_interest"}
    assert answer["sampling"] == "latest per second"
    assert all(one["stale_after"] > one["as_of"] for one in answer["series"])
    ended = body(client, f"{API}/instruments/binance:OLDUSDT/coverage/")
    assert [one["stale_after"] for one in ended["series"]] == [None]


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_coverage_is_bounded(days: str, client: Client) -> None:
    make_instrument()
    assert list(body(client, f"{BTC}/coverage/?days={days}", status=400)) == ["days"]


def test_brackets_come_with_their_day(client: Client) -> None:
    instrument = make_instrument()
    none = body(client, f"{BTC}/brackets/")
    assert (none["as_of"], none["as_of_date"], none["brackets"]) == (None, None, [])
    for day, floors in ((1, (0, 50_000)), (9, (0,))):
        for floor in floors:
            LeverageBracket.objects.create(
                instrument=instrument,
                as_of_date=dt.date(2026, 1, day),
                floor=floor,
                max_leverage=125 - floor / 1000,
                maintenance_rate=0.004,
            )
    newest = body(client, f"{BTC}/brackets/")
    assert (newest["as_of"], newest["as_of_date"], len(newest["brackets"])) == ("2026-01-09T00:00:00Z", "2026-01-09", 1)
    before = body(client, f"{BTC}/brackets/?date=2026-01-08")
    assert [row["floor"] for row in before["brackets"]] == [0.0, 50_000.0]
    assert before["brackets"][1]["max_leverage"] == 75.0
    assert body(client, f"{BTC}/brackets/?date=x", status=400).keys() == {"date"}


def test_instruments_say_how_complete_the_last_day_is(client: Client) -> None:
    make_states(now=timezone.now())
    rows = {row["instrument"]: row for row in body(client, f"{API}/instruments/")["results"]}
    assert rows["binance:BTCUSDT"]["completeness"]["share"] == 1.0
    assert rows["okx:BTC-USDT-SWAP"]["completeness"]["share"] == pytest.approx(23 / 24, abs=1e-4)
    assert (rows["binance:OLDUSDT"]["completeness"], rows["binance:OLDUSDT"]["ended_at"] is None) == (None, False)
    assert rows["bybit:BTCUSDT"]["completeness"]["share"] == 0.0


def test_lists_cost_the_same_for_one_instrument_and_for_many(client: Client) -> None:
    make_states(now=timezone.now())
    counts = []
    for more in (0, 20):
        for number in range(more):
            make_instrument(symbol=f"X{number}USDT", is_live=True)
        with CaptureQueriesContext(connection) as queries:
            body(client, f"{API}/instruments/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
