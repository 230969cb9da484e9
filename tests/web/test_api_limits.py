"""How often the API may be asked, and what its own page loads."""

from __future__ import annotations

import pytest
from django.core.cache import caches
from django.test import Client
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from tests.factories import make_user
from tests.pages import client_of
from tests.web.published import API

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    caches["limits"].clear()


def test_members_are_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "30/min"})
    client = client_of(make_user())
    answers = [client.get(f"{API}/plans/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 60


def test_strangers_are_throttled_by_address_whatever_they_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "2/min"})
    answers = [
        Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}).get("/api/schema/").status_code
        for number in range(3)
    ]
    assert answers == [200, 200, 429]


def test_docs_load_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "//" not in page.replace("http://testserver", "")
    script = Client().get("/api/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "/api/schema/" in script.content.decode().replace("\\u002D", "-")
