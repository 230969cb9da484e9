"""Every address declares who may pass, and keeps to it for every kind of visitor."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path, reverse

from access.operations import create_api_key
from access.permissions import throttles
from alerts.models import Rule
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.pages import client_of
from tests.web.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from access.models import User

pytestmark = pytest.mark.django_db
POLICIES = {"public", "member", "staff", "operator", "machine"}


# Opening them notes a challenge, or a secret to be, in the visitor's own session and nowhere else.
PREPARES = {"mfa_activate_totp", "mfa_add_webauthn", "mfa_login_webauthn", "usersessions_list"}
MADE_HERE = {"pk", "zone_id", "key_id", "rule_id"}


def walk(patterns: Iterable[Any], prefix: str = "", names: str = "") -> Iterator[tuple[str, str, Any]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            space = f"{names}{pattern.namespace}:" if pattern.namespace else names
            yield from walk(pattern.url_patterns, route, space)
        else:
            yield route, f"{names}{pattern.name}", pattern.callback


def policy_of(view: Callable[..., object]) -> str | None:
    return getattr(view, "policy", None) or getattr(getattr(view, "cls", None), "policy", None)


def undeclared(patterns: Iterable[Any]) -> list[str]:
    return [route for route, _, view in walk(patterns) if policy_of(view) not in POLICIES]


def all_patterns() -> list[URLPattern | URLResolver]:
    return list(get_resolver().url_patterns)


def pages() -> dict[str, str]:
    """Return the policy of every route outside the admin, by name."""
    return {name: policy_of(view) or "" for _, name, view in walk(all_patterns()) if not name.startswith("admin:")}


def test_every_route_declares_its_policy() -> None:
    assert undeclared(all_patterns()) == []


def test_a_planted_route_without_policy_is_found() -> None:
    planted = path("planted/", lambda request: HttpResponse("open"), name="planted")
    assert undeclared([*all_patterns(), planted]) == ["planted/"]


def test_every_route_is_tried_here() -> None:
    assert set(pages()) == set(ROUTES)


def test_admin_is_for_staff_throughout() -> None:
    policies = {policy_of(view) for _, name, view in walk(all_patterns()) if name.startswith("admin:")}
    assert policies == {"staff"}


@dataclass(frozen=True)
class Visitors:
    """One of each kind, and addresses of what the owner has."""

    owner: User
    other: User
    staff: User
    ids: dict[str, int]

    def address(self, name: str) -> str:
        kwargs = {key: self.ids.get(key, value) for key, value in ROUTES[name].kwargs.items()}
        return reverse(name, kwargs=kwargs)


@pytest.fixture
def visitors(now: dt.datetime) -> Visitors:
    owner = make_user()
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    make_plan(owner=owner, zone=zone, expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    key, _ = create_api_key(user=owner, name="a")
    rule = Rule.objects.owned_by(owner.pk).create(owner=owner, instrument=zone.heatmap.instrument, kind="swept")
    return Visitors(
        owner=owner,
        other=make_user(email="other@example.com"),
        staff=make_user(email="staff@example.com", is_staff=True),
        ids={"pk": zone.pk, "zone_id": zone.pk, "key_id": key.pk, "rule_id": rule.pk},
    )


def answers(visitors: Visitors, name: str, method: str, user: User | None) -> HttpResponse:
    response: HttpResponse = getattr(client_of(user), method)(visitors.address(name))
    return response


@pytest.mark.parametrize("name", sorted(ROUTES))
@pytest.mark.parametrize("method", ["get", "post"])
def test_members_get_what_is_theirs(name: str, method: str, visitors: Visitors) -> None:
    route, policy = ROUTES[name], pages()[name]
    for user in (visitors.other, visitors.staff):
        assert answers(visitors, name, method, user).status_code == route.seen_by(user, method, policy)
    expected = 404 if policy in {"staff", "operator"} else getattr(route, method)
    assert answers(visitors, name, method, visitors.owner).status_code == expected


@pytest.mark.parametrize("name", sorted(ROUTES))
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_get_what_is_public(name: str, method: str, visitors: Visitors) -> None:
    response = answers(visitors, name, method, None)
    if pages()[name] in {"public", "machine"}:  # tests are on this machine
        assert response.status_code == ROUTES[name].seen_by_stranger(method)
    elif pages()[name] in {"staff", "operator"}:
        assert response.status_code == 404
    elif name.startswith("api-"):
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize(
    "name", [name for name, policy in pages().items() if policy == "member" and name[:4] != "api-"]
)
def test_a_panel_of_a_stranger_moves_the_whole_page(name: str, visitors: Visitors) -> None:
    response = Client(headers={"HX-Request": "true"}).get(visitors.address(name))
    assert (response.status_code, response["HX-Redirect"]) == (401, "/login/")


def test_what_only_takes_forms_says_so_and_what_can_only_be_read_too(visitors: Visitors) -> None:
    words = {"get": "This address only takes what a form sends.", "post": "This page can be read, and takes nothing."}
    wrong = [(name, method) for name, route in ROUTES.items() for method in words if getattr(route, method) == 405]
    told = {}
    for name, method in wrong:
        if name.startswith("api-") or name in {"healthz", "metrics", "schema"}:  # for programs
            continue
        answer = answers(visitors, name, method, visitors.staff)
        told[name, method] = words[method] in answer.content.decode() and "Allow" in answer
    assert [one for one, is_said in told.items() if not is_said] == []
    assert {("alerts:preferences", "get"), ("glossary", "post")} <= set(told)
    program = client_of(visitors.owner).get("/alerts/preferences/", headers={"Accept": "application/json"})
    assert (program.status_code, program.content) == (405, b"")


@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/admin/access/user/", "/admin/nonsense/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_admin_does_not_exist_for_others(address: str, method: str, visitors: Visitors) -> None:
    absent = Client().get("/nonsense/")
    for user in (None, visitors.owner, visitors.other):
        response = getattr(client_of(user), method)(address)
        assert response.status_code == 404
        if user is None:
            assert response.content == absent.content
    assert client_of(visitors.staff).get("/admin/access/user/").status_code == 200


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_reading_changes_nothing(name: str, visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in PREPARES:
        return
    # What a request costs its sender is counted in PostgreSQL, and is all that it writes.
    monkeypatch.setattr(throttles, "allow_api_request", lambda **_: True)
    client = client_of(visitors.staff if pages()[name] in {"staff", "operator"} else visitors.owner)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        response = client.get(visitors.address(name))
        transaction.set_rollback(True)
    assert response.status_code == ROUTES[name].get


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_writing_needs_a_csrf_token(name: str, visitors: Visitors) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(visitors.owner)
    # Mail programs unsubscribe without a cookie (RFC 8058); the token in the address is the proof.
    refused = {410} if name == "access:unsubscribe" else {403, 405}
    assert client.post(visitors.address(name)).status_code in refused


@pytest.mark.parametrize("name", [name for name, policy in pages().items() if policy == "member"])
def test_private_answers_are_not_cached(name: str, visitors: Visitors) -> None:
    response = answers(visitors, name, "get", visitors.owner)
    assert response.status_code != 200 or "private" in response["Cache-Control"]


STRANGE = ["\x00", "%00", "%ff%fe", "zone=%00&before=%00&field=%00", "a=" + "x" * 60_000, "&".join(["a=1"] * 900)]


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_strange_queries_are_no_errors(name: str, visitors: Visitors) -> None:
    client, address = client_of(visitors.owner), visitors.address(name)
    statuses = [client.get(address, QUERY_STRING=query).status_code for query in STRANGE]
    assert [status for status in statuses if status >= 500] == []
