"""How often the API may be asked, and what its own page loads."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from tests.factories import make_user
from tests.pages import client_of
from tests.web.published import API

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("path", [f"{API}/plans/", "/api/schema/"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_wrong_keys_are_throttled_by_address(path: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "2/min"})
    answers = [Client().get(path, headers={"Authorization": f"{scheme} bh_wrong{number}"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 60


def test_requests_without_key_are_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "2/min"})
    assert [Client().get(f"{API}/plans/").status_code for _ in range(3)] == [401, 401, 429]


def test_members_do_not_pay_for_wrong_keys_of_their_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"user": "9/min", "anon": "1/min"})
    strangers = [Client().get(f"{API}/plans/").status_code for _ in range(2)]
    assert (strangers, client_of(make_user()).get(f"{API}/plans/").status_code) == ([401, 429], 200)


def test_ipv6_strangers_are_throttled_by_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"user": "2/min", "anon": "1/min"})
    addresses = ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    answers = [Client(REMOTE_ADDR=address).get("/api/schema/").status_code for address in addresses]
    assert answers == [200, 429, 200]


@pytest.mark.parametrize("version", ["%00", "a%0d%0aX-Evil:1", "2.0"])
def test_schema_knows_no_versions(version: str) -> None:
    answer = Client().get(f"/api/schema/?version={version}")
    assert (answer.status_code, answer["Content-Disposition"]) == (200, 'inline; filename="BH Terminal API.yaml"')


def test_docs_load_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "//" not in page.replace("http://testserver", "")
    script = Client().get("/api/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "/api/schema/" in script.content.decode().replace("\\u002D", "-")
