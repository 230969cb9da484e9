from __future__ import annotations

import base64
import datetime as dt
import gzip
import math
from typing import TYPE_CHECKING

import jsonschema  # drf-spectacular brings it
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from heatmaps.models import Heatmap, Tile, Zone
from heatmaps.operations import build, track_zones
from heatmaps.queries import latest_slice
from journal.operations import arm_plan
from journal.queries import digest_evidence
from market.series import MINUTE_MS, STEP_MS
from tests.core.windows import START_MS
from tests.factories import make_heatmap, make_instrument, make_plan, make_user, make_zone
from tests.heatmaps.markets import LATE, at_step, make_market
from tests.web.published import API, body, check_against_schema, client_with_key

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User


pytestmark = pytest.mark.django_db
BTC = f"{API}/instruments/binance:BTCUSDT"
PATHS = [
    "/alerts/",
    "/alerts/notices/",
    "/fills/",
    "/fills/{fill_id}/",
    "/instruments/",
    "/instruments/{key}/",
    "/instruments/{key}/account-ratio/",
    "/instruments/{key}/bars/",
    "/instruments/{key}/brackets/",
    "/instruments/{key}/coverage/",
    "/instruments/{key}/depth/",
    "/instruments/{key}/funding/",
    "/instruments/{key}/heatmap/",
    "/instruments/{key}/layers/",
    "/instruments/{key}/liquidations/",
    "/instruments/{key}/open-interest/",
    "/instruments/{key}/reach/",
    "/instruments/{key}/tiles/{level}/{row}/{col}/",
    "/instruments/{key}/zones/",
    "/plans/",
    "/plans/{number}/",
    "/plans/{number}/arm/",
    "/plans/{number}/entries/",
    "/plans/{number}/events/",
    "/plans/{number}/events/{event}/",
    "/plans/{number}/undo/",
    "/results/",
    "/reviews/",
    "/reviews/{review_id}/",
    "/reviews/{review_id}/remarks/",
    "/scorecard/",
    "/scorecard/misses/",
    "/scorecard/runs/",
    "/screener/",
    "/tools/{slug}/",
    "/trades/",
    "/trades/{trade_id}/",
    "/zones/{zone_id}/",
    "/zones/{zone_id}/events/",
]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def client(owner: User) -> Client:
    return client_with_key(owner)


@pytest.fixture
def heatmap(now: dt.datetime) -> Heatmap:
    return make_heatmap(built_through=now)


def ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_schema_is_valid() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert sorted(path.removeprefix(API) for path in schema["paths"] if path.startswith(API)) == PATHS


def test_schema_check_refuses_a_planted_answer(client: Client, heatmap: Heatmap) -> None:
    answer = client.get(f"{BTC}/").json()
    check_against_schema(f"{BTC}/", answer)
    for planted in (answer | {"secret": 1}, {**answer, "symbol": None}, {"symbol": "BTCUSDT"}):
        with pytest.raises(jsonschema.ValidationError):
            check_against_schema(f"{BTC}/", planted)


@pytest.mark.parametrize("path", ["/instruments/", "/instruments/binance:BTCUSDT/zones/", "/plans/"])
def test_lists_ask_as_much_for_three_as_for_one(
    path: str, client: Client, owner: User, heatmap: Heatmap, now: dt.datetime
) -> None:
    def grow(number: int) -> None:
        make_instrument(symbol=f"N{number}USDT", is_live=True)
        zone = make_zone(heatmap=heatmap, born_at=now, number=number)
        make_plan(owner=owner, zone=zone, number=number, expires_at=now)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(API + path).status_code == 200
        return len(asked)

    client.get(API + path)  # notes the use of the key
    grow(1)
    once = questions()
    grow(2)
    grow(3)
    assert questions() == once


@pytest.mark.parametrize("key", ["binance:NONE", "nonsense", ":", "%00", "binance:" + "x" * 500, "binance:BTC:USDT"])
@pytest.mark.parametrize("tail", ["", "bars/", "heatmap/", "zones/"])
def test_unknown_instrument_is_absent(key: str, tail: str, client: Client) -> None:
    body(client, f"{API}/instruments/{key}/{tail}", status=404)


def test_heatmap_of_nothing_is_null(client: Client) -> None:
    make_heatmap()
    answer = body(client, f"{BTC}/heatmap/")
    assert (answer["as_of"], answer["close"], answer["bins"]) == (None, None, None)
    assert answer["estimator"] == {"slug": "open-interest", "version": "2", "parameters_sha256": "0" * 64}


def make_running() -> Heatmap:
    """Store a live instrument in the middle of a step."""
    instrument = make_market(steps=300, bar_ms=MINUTE_MS, until=250.4)
    type(instrument).objects.update(is_live=True)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)
    return Heatmap.objects.select_related("release").get()


def test_slice_is_as_old_as_its_newest_bar(client: Client) -> None:
    heatmap = make_running()
    answer = body(client, f"{BTC}/heatmap/")
    assert heatmap.provisional_through == at_step(251)
    assert dt.datetime.fromisoformat(answer["as_of"]) == at_step(250.4)
    assert dt.datetime.fromisoformat(answer["stale_after"]) == at_step(250.4) + dt.timedelta(seconds=75)
    assert answer["is_provisional"] is True
    release = heatmap.release
    assert answer["estimator"] == {"slug": "open-interest", "version": "2", "parameters_sha256": release.digest}
    earlier = body(client, f"{BTC}/heatmap/?at={at_step(100.7):%Y-%m-%dT%H:%M:%SZ}")
    assert (dt.datetime.fromisoformat(earlier["as_of"]), earlier["stale_after"]) == (at_step(100), None)
    assert earlier["is_provisional"] is False


def test_slice_says_what_the_map_holds(client: Client) -> None:
    found = latest_slice(heatmap=make_running())
    assert found is not None
    bins = body(client, f"{BTC}/heatmap/")["bins"]
    held = found.usd > 0
    low, high = found.ends()
    assert [one["usd"] for one in bins] == found.usd[held].tolist()
    assert [one["usd_per_tenth_pct"] for one in bins] == pytest.approx((found.usd[held] * 2.0).tolist())
    assert [one["usd_low"] for one in bins] == low[held].tolist()
    assert [one["usd_high"] for one in bins] == high[held].tolist()
    centres = [math.sqrt(one["price_low"] * one["price_high"]) for one in bins]
    sides = ["longs" if centre < found.close else "shorts" for centre in centres]
    assert [one["position_side"] for one in bins] == sides
    assert set(sides) == {"longs", "shorts"}


def test_nothing_claims_to_know_the_future(client: Client) -> None:
    heatmap = make_running()
    assert heatmap.bin_lo is not None
    newest = at_step(250.4)
    row, col = (heatmap.bin_lo + 1) // 256, (START_MS // STEP_MS + 250) // 256
    tile = body(client, f"{BTC}/tiles/0/{row}/{col}/")
    assert dt.datetime.fromisoformat(tile["as_of"]) == newest
    assert (tile["is_closed"], tile["revision"]) == (False, 1)
    zones = body(client, f"{BTC}/zones/")["results"]
    assert zones != []
    for zone in zones:
        assert dt.datetime.fromisoformat(zone["as_of"]) <= newest
        assert (zone["stale_after"] is not None) == (zone["ended_at"] is None)


def test_heatmap_of_another_estimator_is_absent(client: Client, heatmap: Heatmap) -> None:
    body(client, f"{BTC}/heatmap/?estimator=other", status=404)


def test_tile_comes_as_it_is_stored(client: Client, heatmap: Heatmap, now: dt.datetime) -> None:
    raw = gzip.compress(bytes(65_536), mtime=0)
    bin_lo, col = 22_016, ms(now) // 300_000 // 256
    Heatmap.objects.update(built_from=now - dt.timedelta(days=1), bin_lo=bin_lo, bin_hi=bin_lo + 256)
    Tile.objects.create(heatmap=heatmap, level=0, row=86, col=col, body=raw, etag="e" * 32)
    answer = body(client, f"{BTC}/tiles/0/86/{col}/")
    assert base64.b64decode(answer["body"]) == raw
    assert (answer["row"], answer["col"], answer["bin_bps"], answer["is_closed"]) == (86, col, 5.0, False)
    body(client, f"{BTC}/tiles/0/86/-9/", status=404)
    assert client.get(f"{BTC}/tiles/4/86/{col}/").status_code == 404


def test_zones_page_by_number(client: Client, heatmap: Heatmap, now: dt.datetime) -> None:
    for number in (1, 2, 3):
        make_zone(heatmap=heatmap, born_at=now, number=number)
    Zone.objects.filter(number=2).update(state="expired", ended_at=now)
    first = body(client, f"{BTC}/zones/?limit=2")
    assert ([zone["label"] for zone in first["results"]], first["next"]) == (["Z-3", "Z-2"], 2)
    assert [zone["label"] for zone in body(client, f"{BTC}/zones/?limit=2&before=2")["results"]] == ["Z-1"]
    active = body(client, f"{BTC}/zones/?state=active")
    assert [zone["label"] for zone in active["results"]] == ["Z-3", "Z-1"]


def test_zone_says_value_and_interval(client: Client, heatmap: Heatmap, now: dt.datetime) -> None:
    zone = make_zone(heatmap=heatmap, born_at=now)
    answer = body(client, f"{API}/zones/{zone.pk}/")
    assert (answer["usd_low"], answer["usd"], answer["usd_high"]) == (2.1e6, 4.2e6, 8.4e6)
    assert (answer["position_side"], answer["as_of"], answer["tested_at"]) == ("longs", "2026-01-15T12:00:00Z", None)
    body(client, f"{API}/zones/{zone.pk + 1}/", status=404)
    body(client, f"{API}/zones/{'9' * 40}/", status=404)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=0", "before=99999999999999999999"])
@pytest.mark.parametrize("path", ["/plans/", "/instruments/binance:BTCUSDT/zones/"])
def test_pages_are_bounded(query: str, path: str, client: Client, heatmap: Heatmap) -> None:
    body(client, f"{API}{path}?{query}", status=400)


def test_plans_are_the_owners_alone(client: Client, owner: User, heatmap: Heatmap, now: dt.datetime) -> None:
    zone, other = make_zone(heatmap=heatmap, born_at=now), make_user(email="other@example.com")
    make_plan(owner=owner, zone=zone, expires_at=now)
    make_plan(owner=other, zone=zone, expires_at=now, number=2, thesis="canary")
    answer = body(client, f"{API}/plans/")
    assert [plan["label"] for plan in answer["results"]] == ["P-1"]
    body(client, f"{API}/plans/2/", status=404)


def test_armed_plan_carries_what_was_hashed(client: Client, owner: User, heatmap: Heatmap, now: dt.datetime) -> None:
    zone = make_zone(heatmap=heatmap, born_at=now)
    make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=1))
    draft = body(client, f"{API}/plans/1/")
    assert (draft["armed_at"], draft["evidence"], draft["evidence_sha256"]) == (None, None, None)
    arm_plan(owner_id=owner.pk, number=1, now=now)
    armed = body(client, f"{API}/plans/1/")
    assert armed["evidence_sha256"] == digest_evidence(armed["evidence"])
    assert (armed["entry"], armed["zone"], armed["venue"]) == ("59200.00000000", zone.pk, "binance")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_market_and_maps_are_only_read(method: str, client: Client, heatmap: Heatmap) -> None:
    paths = ["/instruments/", "/instruments/binance:BTCUSDT/", "/scorecard/", "/trades/"]
    assert [getattr(client, method)(API + path).status_code for path in paths] == [405] * 4
