from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from journal.models import Plan
from tests.journal.terms import SOON, TERMS, text

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "number",
    ["\uff15\uff19\uff12\uff10\uff10", "\u0665\u0669\u0662\u0660\u0660", "59_200", "59 200", "0x10", "nan", "inf"],
)
def test_numbers_are_written_in_plain_digits(client: Client, zone: Zone, number: str) -> None:
    page = client.post(f"/plans/new/?zone={zone.pk}", TERMS | {"entry": number})
    assert page.status_code == 422
    assert "Write a number with a point, like 60123.5." in text(page)


def test_commas_are_refused_with_a_sentence(client: Client, zone: Zone) -> None:
    page = client.post(f"/plans/new/?zone={zone.pk}", TERMS | {"entry": "59,200", "risk_pct": "0,5"})
    assert page.status_code == 422
    assert text(page).count("Leave out the comma. Write a number with a point") == 2


@pytest.mark.parametrize(("offset", "away"), [("+23:59", -1), ("-23:59", 1), ("Z", 0)])
def test_expiry_with_an_offset_is_brought_to_utc(
    client: Client, owner: User, zone: Zone, offset: str, away: int
) -> None:
    client.post(f"/plans/new/?zone={zone.pk}", TERMS | {"expires_at": f"{TERMS['expires_at']}{offset}"})
    expected = SOON + away * dt.timedelta(hours=23, minutes=59)
    assert Plan.objects.owned_by(owner.pk).get().expires_at == expected


@pytest.mark.parametrize("time", ["0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59"])
def test_expiry_beyond_the_calendar_is_refused(client: Client, zone: Zone, time: str) -> None:
    page = client.post(f"/plans/new/?zone={zone.pk}", TERMS | {"expires_at": time})
    assert page.status_code == 422
    assert "Write the time as 2026-01-31 14:30." in text(page)


def test_form_sent_again_with_other_terms_says_so(client: Client, owner: User, zone: Zone) -> None:
    key = {"request_key": "00000000-0000-0000-0000-000000000007"}
    client.post(f"/plans/new/?zone={zone.pk}", TERMS | key)
    page = client.post(f"/plans/new/?zone={zone.pk}", TERMS | key | {"thesis": "It may fall."})
    assert page.status_code == 422
    assert "This form was sent before and made P-1, with other terms" in text(page)
    assert [plan.thesis for plan in Plan.objects.owned_by(owner.pk)] == ["It may bounce."]
    fresh = re.search(r'name="request_key" value="([^"]+)"', page.content.decode())
    assert fresh
    again = {"thesis": "It may fall.", "request_key": fresh[1]}
    assert client.post(f"/plans/new/?zone={zone.pk}", TERMS | again)["Location"] == "/plans/2/"
