"""What a member sets is what their pages do: times, numbers, and what plans and calculators begin with."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from access import reading
from access.models import ApiKey, Preferences
from access.operations import create_api_key
from journal.models import Plan
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.journal.terms import TERMS
from tests.pages import client_of

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
EXPIRES = dt.datetime(2026, 1, 16, 22, 30, tzinfo=dt.UTC)


@pytest.fixture
def reader() -> User:
    """Someone in Berlin who writes a decimal comma."""
    user = make_user()
    Preferences.objects.create(
        user=user, time_zone="Europe/Berlin", notation="comma", account="25000", risk_pct="0.5",
        venue="bybit", entry_fee_pct="-0.01",
    )  # fmt: skip
    return user


@pytest.fixture
def place() -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=EXPIRES)


def words(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def test_plan_is_shown_in_the_readers_zone_and_notation(reader: User, place: Zone) -> None:
    plan = make_plan(owner=reader, zone=place, expires_at=EXPIRES)
    other = client_of(make_user(email="utc@example.com"))
    shown = words(client_of(reader).get(f"/plans/{plan.number}/").content)
    assert "expires 2026-01-16 23:30 UTC+1" in shown
    assert "Own times in Europe/Berlin, market data in UTC." in shown
    assert re.findall(r"[0-9]\.[0-9]{2} % away", shown) == []
    assert re.findall(r"[0-9],[0-9]{2} % away", shown) != []
    # The next request of the same process is somebody else's.
    assert "All times in UTC." in words(other.get("/plans/").content)
    assert (reading.zone_name(), reading.written("1,234.5")) == ("UTC", "1,234.5")


def test_time_that_is_typed_is_of_the_zone_that_the_label_names(reader: User, place: Zone) -> None:
    client = client_of(reader)
    plan = make_plan(owner=reader, zone=place, expires_at=EXPIRES)
    page = client.get(f"/plans/{plan.number}/edit/").content.decode()
    assert "Expires, Europe/Berlin" in page
    assert 'value="2026-01-16T23:30"' in page
    soon = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).replace(hour=20, minute=0) + dt.timedelta(days=2)
    sent = TERMS | {"expires_at": f"{soon:%Y-%m-%dT%H:%M}"}
    assert client.post(f"/plans/{plan.number}/edit/", sent).status_code == 302
    kept = Plan.objects.owned_by(reader.pk).get().expires_at
    assert kept == dt.datetime.combine(soon.date(), dt.time(20), ZoneInfo("Europe/Berlin"))


def test_api_and_chain_stay_in_utc(reader: User, place: Zone) -> None:
    plan = make_plan(owner=reader, zone=place, expires_at=EXPIRES)
    _, secret = create_api_key(user=reader, name="notebook", scopes=[ApiKey.Scope.PLANS], expires_at=None)
    told = Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/api/v1/plans/{plan.number}/").json()
    assert told["expires_at"] == "2026-01-16T22:30:00Z"


def test_calculators_begin_with_what_is_set_and_write_as_the_reader_does(reader: User) -> None:
    client = client_of(reader)
    page = client.get("/tools/size/")
    kept = {name: re.search(rf'name="{name}" value="([^"]*)"', page.content.decode()) for name in _BEGUN}
    assert {name: found[1] if found else None for name, found in kept.items()} == _BEGUN
    assert "private" in page["Cache-Control"]
    asked = {"side": "long", "entry": "60000", "stop": "59100", "account": "1000000", "risk": "1", "step": "0.001"}
    assert "11,111 base" in words(client.get("/tools/size/", asked).content)
    assert "11.111 base" in words(Client().get("/tools/size/", asked).content)
    # What is typed has one reading for everyone.
    assert "Leave out the comma." in words(client.get("/tools/size/", asked | {"entry": "60.000,5"}).content)


_BEGUN = {"account": "25000", "risk": "0.5", "entry_fee": "-0.01", "exit_fee": "0.055"}


def test_plan_form_begins_with_account_and_risk(reader: User, place: Zone) -> None:
    page = client_of(reader).get(f"/plans/new/?zone={place.pk}").content.decode()
    assert re.search('name="equity" value="25000"', page)
    assert re.search('name="risk_pct" value="0.5"', page)


def test_preferences_are_checked() -> None:
    client = client_of(make_user())
    wrong_ones = [{"time_zone": "Mars/Olympus"}, {"notation": "x"}, {"venue": "x"}, {"entry_fee_pct": "11"}]
    for wrong in (*wrong_ones, {"account": "-1"}, {"account": "1,5"}):
        assert client.post("/account/preferences/", wrong).status_code == 422, wrong
    right = {"time_zone": "Asia/Kolkata", "notation": "comma", "venue": "okx", "account": "1000.5"}
    assert client.post("/account/preferences/", right).status_code == 302
    kept = Preferences.objects.get()
    assert (kept.time_zone, kept.notation, kept.venue) == ("Asia/Kolkata", "comma", "okx")
    assert str(kept.account) == "1000.50000000"


@pytest.mark.parametrize(
    ("zone", "offset"), [("UTC", "UTC"), ("Asia/Kolkata", "UTC+5:30"), ("America/New_York", "UTC−5"), ("gone", "UTC")]
)
def test_offsets_are_named(zone: str, offset: str) -> None:
    try:
        reading.name_reader(zone=zone, notation="point")
        assert reading.offset(reading.localised(EXPIRES)) == offset
    finally:
        reading.forget_reader()
