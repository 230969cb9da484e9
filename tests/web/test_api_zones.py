"""Zones over the API: what became of their contracts, what was told when, how long such zones lived."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from heatmaps.models import Zone, ZoneEvent
from heatmaps.operations import build, track_zones
from heatmaps.queries import half_life
from tests.core.windows import make_window
from tests.factories import make_user
from tests.heatmaps.markets import LATE, at_step, make_market, put
from tests.web.published import API, body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
BTC = f"{API}/instruments/binance:BTCUSDT"
TOLD = ("state", "cause", "usd", "usd_low", "usd_high", "price_low", "price_high", "deposited", "closed", "swept")


@pytest.fixture
def client() -> Client:
    return client_with_key(make_user())


def follow(steps: int = 900) -> None:
    instrument = make_market(steps=steps)
    build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
    track_zones(instrument_id=instrument.pk, now=LATE)


def moment(at: dt.datetime) -> str:
    return quote(at.isoformat())


def test_zone_says_what_became_of_its_contracts(client: Client) -> None:
    follow()
    zone = Zone.objects.exclude(cause="").earliest("number")
    answer = body(client, f"{API}/zones/{zone.pk}/")
    assert {name: answer[name] for name in TOLD} == {name: getattr(zone, name) for name in TOLD}
    found = half_life(zone=zone)
    told = (found.hours, found.low, found.high, found.label, found.count, found.ended)
    assert tuple(answer["half_life"].values()) == told
    formed = ZoneEvent.objects.get(zone=zone, number=1)
    balance = answer["deposited"] - answer["closed"] - answer["swept"] + answer["moved"]
    assert formed.usd + balance == pytest.approx(answer["usd"], rel=1e-9, abs=1e-3)


def test_events_come_newest_first_page_by_page(client: Client) -> None:
    follow()
    zone = Zone.objects.earliest("number")
    events = list(ZoneEvent.objects.filter(zone=zone).order_by("-number"))
    first = body(client, f"{API}/zones/{zone.pk}/events/?limit=2")
    assert [one["number"] for one in first["results"]] == [one.number for one in events[:2]]
    rest = body(client, f"{API}/zones/{zone.pk}/events/?limit=200&before={first['next']}")
    assert [one["number"] for one in rest["results"]] == [one.number for one in events[2:]]
    assert rest["next"] is None
    assert [rest["results"][-1][name] for name in ("kind", "state")] == ["formed", "forming"]
    told = [{name: getattr(one, name) for name in TOLD} for one in events]
    assert [{name: one[name] for name in TOLD} for one in (*first["results"], *rest["results"])] == told


# What a past moment does not have: it tells intervals as they were stored, not as wide as the map's age makes them.
CLOCK = {"usd_low", "usd_high", "leverage"}


def without_clock(told: object) -> object:
    """Leave out what depends on the clock of whoever asks."""
    if isinstance(told, list):
        return [without_clock(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {name: without_clock(one) for name, one in told.items() if name not in CLOCK}


def test_a_past_moment_is_answered_as_it_was_then(client: Client) -> None:
    """The answers of then, but for what an answer of now says of being up to date."""
    instrument, window, at = make_market(steps=500), make_window(steps=900), at_step(500)

    def step() -> None:
        build(instrument_id=instrument.pk, estimator="open-interest", now=LATE)
        track_zones(instrument_id=instrument.pk, now=LATE)

    step()
    pk = Zone.objects.latest("number").pk
    paths = (f"{BTC}/zones/?limit=5", f"{API}/zones/{pk}/?", f"{API}/zones/{pk}/events/?limit=9")
    then = [body(client, path) for path in paths]
    then_by_name = [body(client, f"{path}&at={moment(at)}") for path in paths]
    put(instrument, window)
    step()
    assert [body(client, path) for path in paths] != then
    told = [body(client, f"{path}&at={moment(at)}") for path in paths]
    assert told == then_by_name
    assert without_clock(told) == without_clock(then)


def test_a_zone_is_absent_before_it_formed(client: Client) -> None:
    follow()
    zone = Zone.objects.earliest("number")
    before = moment(zone.born_at - dt.timedelta(minutes=5))
    for path in (f"/zones/{zone.pk}/", f"/zones/{zone.pk}/events/"):
        body(client, f"{API}{path}?at={before}", status=404)
        body(client, f"{API}{path}?at=yesterday", status=400)
    assert body(client, f"{BTC}/zones/?at={before}") == {"next": None, "results": []}


def test_state_of_a_past_moment_is_chosen_within_a_page(client: Client) -> None:
    follow()
    at = at_step(600)
    every = body(client, f"{BTC}/zones/?at={moment(at)}")["results"]
    for state in Zone.State.values:
        some = body(client, f"{BTC}/zones/?at={moment(at)}&state={state}")["results"]
        assert some == [one for one in every if one["state"] == state]
