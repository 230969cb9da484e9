from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib.auth import hashers
from django.test import Client, RequestFactory

from access import operations
from access.early import limits
from access.forms import TOO_MANY, WRONG, client_address
from access.models import Allowance, LoginLink, User
from tests.factories import make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"


def log_in(client: Client, email: str, password: str, **extra: str) -> TestResponse:
    form = {"login": email, "password": password, "next": extra.pop("next", "")}
    return client.post("/login/", form, **cast("Any", extra))


def without_tokens(response: TestResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())


def test_login_takes_the_address_in_any_case() -> None:
    make_user(password=PASSWORD)
    client = Client()
    response = log_in(client, "Owner@Example.COM", PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/instruments/")
    assert client.get("/account/").status_code == 200


def test_login_answers_alike_for_stranger_and_wrong_password() -> None:
    make_user(password=PASSWORD)
    make_user(email="sleeper@example.com", password=PASSWORD)
    User.objects.filter(email="sleeper@example.com").update(is_active=False)
    answers = [
        log_in(Client(), "owner@example.com", "wrong"),
        log_in(Client(), "nobody@example.com", "wrong"),
        log_in(Client(), "sleeper@example.com", PASSWORD),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    pages = [
        without_tokens(answer).replace(name, "…")
        for answer, name in zip(
            answers, ["owner@example.com", "nobody@example.com", "sleeper@example.com"], strict=True
        )
    ]
    assert pages[0] == pages[1] == pages[2]
    assert WRONG in pages[0]


def test_login_cycles_the_session() -> None:
    make_user(password=PASSWORD)
    client = Client()
    session = client.session
    session["planted"] = "1"
    session.save()
    before = session.session_key
    log_in(client, "owner@example.com", PASSWORD)
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "\\\\evil.example", "https:evil.example"]
)
def test_login_never_leaves_the_house(target: str) -> None:
    make_user(password=PASSWORD)
    response = log_in(Client(), "owner@example.com", PASSWORD, next=target)
    assert response["Location"] == "/instruments/"


def test_login_needs_a_csrf_token() -> None:
    assert log_in(Client(enforce_csrf_checks=True), "owner@example.com", PASSWORD).status_code == 403


def test_tries_run_out_before_anything_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(password=PASSWORD)
    for _ in range(operations.ACCOUNT_ALLOWANCE[0]):
        assert log_in(Client(), "owner@example.com", "wrong").status_code == 422
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr(hashers.MD5PasswordHasher, "verify", lambda *_: pytest.fail("hashed"))
    refused = log_in(Client(), "owner@example.com", PASSWORD)
    assert refused.status_code == 429
    assert TOO_MANY in refused.content.decode()


def test_tries_of_one_address_run_out_over_all_accounts() -> None:
    statuses = [log_in(Client(), f"user{n}@example.com", "wrong").status_code for n in range(21)]
    assert statuses == [422] * 20 + [429]
    elsewhere = log_in(Client(), "user99@example.com", "wrong", REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 422


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (1, "127.0.0.1", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
        (2, "127.0.0.1", "203.0.113.9, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (2, "127.0.0.1", "192.0.2.1", "192.0.2.1"),
        (0, "2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        (1, "127.0.0.1", "nonsense", "unknown"),
        (0, "", "", "unknown"),
    ],
)
def test_forwarded_addresses_count_only_behind_our_proxies(
    proxies: int, remote: str, forwarded: str, expected: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory(REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded}).get("/")
    assert client_address(request) == expected


def test_a_known_device_is_not_kept_out_by_strangers() -> None:
    make_user(password=PASSWORD)
    own = Client(REMOTE_ADDR="192.0.2.7")
    log_in(own, "owner@example.com", PASSWORD)
    own.post("/logout/")
    for _ in range(operations.ACCOUNT_ALLOWANCE[0] + 1):
        log_in(Client(), "owner@example.com", "wrong")
    assert log_in(Client(REMOTE_ADDR="192.0.2.8"), "owner@example.com", PASSWORD).status_code == 429
    assert log_in(own, "owner@example.com", PASSWORD).status_code == 302


def test_the_mark_of_a_device_is_good_for_its_own_account_only() -> None:
    make_user(password=PASSWORD)
    make_user(email="other@example.com", password=PASSWORD)
    device = Client(REMOTE_ADDR="192.0.2.7")
    log_in(device, "owner@example.com", PASSWORD)
    device.post("/logout/")
    for _ in range(operations.ACCOUNT_ALLOWANCE[0]):
        log_in(Client(), "other@example.com", "wrong")
    assert log_in(device, "other@example.com", PASSWORD).status_code == 429


def test_allowance_fills_up_again(now: dt.datetime) -> None:
    def allow(moment: dt.datetime) -> bool:
        return operations.allow_login_try(account="a", address="192.0.2.1", device=None, now=moment)

    assert [allow(now) for _ in range(9)] == [True] * 8 + [False]
    assert allow(now + dt.timedelta(seconds=59)) is False
    assert allow(now + dt.timedelta(seconds=60)) is True
    assert allow(now + dt.timedelta(seconds=60)) is False
    assert [allow(now + dt.timedelta(days=1)) for _ in range(9)] == [True] * 8 + [False]


def test_a_right_password_gives_the_allowance_back_and_what_is_long_full_is_dropped(now: dt.datetime) -> None:
    operations.allow_login_try(account="old", address="192.0.2.2", device=None, now=now - dt.timedelta(days=2))
    operations.allow_login_try(account="a", address="192.0.2.1", device=None, now=now)
    operations.forget_login_tries(account="a")
    limits.prune(now=now)
    assert Allowance.objects.count() == 1  # that of the address


def test_logout_is_a_post() -> None:
    client = client_of(make_user())
    assert client.get("/logout/").status_code == 405
    response = client.post("/logout/")
    assert (response.status_code, response["Clear-Site-Data"]) == (302, '"cache"')
    assert client.get("/account/").status_code == 302


def test_operator_link_logs_in_once(now: dt.datetime) -> None:
    path = operations.make_operator_link(now=dt.datetime.now(dt.UTC))
    client = Client()
    before = LoginLink.objects.get()
    assert client.get(path).status_code == 200
    assert LoginLink.objects.get().used_at == before.used_at
    assert "_auth_user_id" not in client.session
    assert client.post(path)["Location"] == "/instruments/"
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser, user.has_usable_password()) == (
        "operator@localhost",
        True,
        True,
        False,
    )
    assert client.session["_auth_user_id"] == str(user.pk)
    assert Client().post(path).status_code == 410


def test_a_login_by_link_is_among_the_sessions_and_can_be_ended() -> None:
    clients = [Client(), Client()]
    for client in clients:
        client.post(operations.make_operator_link(now=dt.datetime.now(dt.UTC)))
    assert clients[0].get("/account/sessions/").content.decode().count(">127.0.0.1</td>") == 2
    assert clients[0].post("/account/sessions/").status_code == 302
    assert [client.get("/account/").status_code for client in clients] == [200, 302]


def test_operator_link_is_stored_as_a_hash(now: dt.datetime) -> None:
    token = operations.make_operator_link(now=now).split("/")[2]
    assert len(token) == 43  # 256 bits
    assert LoginLink.objects.get().digest == operations.digest(token)


def test_operator_link_ends_after_a_day(now: dt.datetime) -> None:
    token = operations.make_operator_link(now=now).split("/")[2]
    assert operations.use_login_link(token=token, now=now + dt.timedelta(hours=24)) is None
    user = operations.use_login_link(token=token, now=now + dt.timedelta(hours=23, minutes=59))
    assert user == User.objects.get()


def test_operator_link_leaves_no_expired_ones(now: dt.datetime) -> None:
    for hours in (0, 1, 24):
        operations.make_operator_link(now=now + dt.timedelta(hours=hours))
    assert LoginLink.objects.filter(expires_at__lte=now + dt.timedelta(hours=24)).count() == 0
    assert LoginLink.objects.count() == 1


def test_operator_link_ends_the_unused_one_before(now: dt.datetime) -> None:
    unused, newest = (operations.make_operator_link(now=now).split("/")[2] for _ in range(2))
    assert operations.use_login_link(token=unused, now=now) is None
    assert operations.use_login_link(token=newest, now=now) == User.objects.get()


def test_operator_is_made_once(now: dt.datetime) -> None:
    operations.make_operator_link(now=now)
    operations.make_operator_link(now=now)
    assert User.objects.count() == 1


def test_enter_needs_a_csrf_token(now: dt.datetime) -> None:
    path = operations.make_operator_link(now=dt.datetime.now(dt.UTC))
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403


def test_enter_does_not_tell_a_right_link_from_a_wrong_one(now: dt.datetime) -> None:
    path = operations.make_operator_link(now=dt.datetime.now(dt.UTC))
    assert without_tokens(Client().get(path)) == without_tokens(Client().get("/enter/nonsense/"))
