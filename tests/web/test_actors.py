"""Every route and method for every kind of visitor, by the state their account is in, not by their role alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access.models import Allowance, ApiKey, User
from access.operations import create_api_key
from alerts.models import Rule
from journal import operations
from journal.models import Fill, Trade, TradeFile
from journal.models.trades import BY_HAND
from tests.access.early import ask, invited, links
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.journal.test_trades import SOLD
from tests.pages import client_of
from tests.web.routes import ROUTES
from tests.web.test_routes import pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"
CANARY = "canary-7f3a"
METHODS = ("get", "post")
# Of another contract than the trade, so that taking it away leaves that alone.
FILL = {"venue": "binance", "symbol": "ETHUSDT", "side": 1, "price": 1, "quantity": 1, "fee": 0}
TRADE = {
    "venue": "binance",
    "symbol": "BTCUSDT",
    "side": 1,
    "size": 1,
    "entry": 60_000,
    "exit": 60_100,
    "fees": 0,
    "result": 100,
}


@dataclass(frozen=True)
class House:
    """What the owner has, each of it with the canary in it where it holds text."""

    owner: User
    ids: dict[str, int]
    # By the part of the route's name: of what the address holds the number.
    rows: dict[str, int]

    def address(self, name: str) -> str:
        found = {key: self.ids.get(key, value) for key, value in ROUTES[name].kwargs.items()}
        row = next((pk for part, pk in self.rows.items() if name.startswith(part)), None)
        return reverse(name, kwargs=found | {"pk": row} if row and "pk" in found else found)


@pytest.fixture
def house(now: dt.datetime) -> House:
    owner = make_user(email=f"{CANARY}@example.com", password=PASSWORD)
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    make_plan(owner=owner, zone=zone, expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1), thesis=CANARY)
    key, _ = create_api_key(user=owner, name=CANARY)
    rule = Rule.objects.owned_by(owner.pk).create(owner=owner, instrument=zone.heatmap.instrument, kind="swept")
    file = TradeFile.objects.owned_by(owner.pk).create(owner=owner, name=CANARY, sha256="0" * 64, content=SOLD)
    trade = Trade.objects.owned_by(owner.pk).create(**TRADE, owner=owner, key=CANARY, opened_at=now, closed_at=now)
    fill = Fill.objects.owned_by(owner.pk).create(**FILL, owner=owner, venue_fill_id=f"{BY_HAND}{CANARY}", at=now)
    said = operations.Said(CANARY, CANARY)
    review = operations.review_trade(owner_id=owner.pk, trade_id=trade.pk, said=said, now=now)
    ids = {"pk": zone.pk, "zone_id": zone.pk, "key_id": key.pk, "rule_id": rule.pk}
    rows = {"journal:trade-file": file.pk, "journal:trade": trade.pk, "journal:review-remark": review.pk}
    rows |= {"journal:fill-drop": fill.pk}
    return House(owner, ids, rows)


def asleep() -> Client:
    """Return a browser that was logged in when its account was switched off."""
    user = make_user(email="asleep@example.com")
    client = client_of(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    return client


def halfway() -> Client:
    """Return a browser that has given the password and owes the second factor."""
    user = make_user(email="halfway@example.com", password=PASSWORD)
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    client = Client()
    answer = client.post("/login/", {"login": user.email, "password": PASSWORD})
    assert answer["Location"].startswith("/login/second-factor/")
    return client


def clerk() -> Client:
    """Return a browser of staff that was given no permission."""
    user = make_user(email="clerk@example.com")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return client_of(user)


def waitlisted() -> Client:
    """Return a browser of somebody who has asked for access."""
    ask("waiting@example.com", now=timezone.now())
    return Client()


def on_the_list() -> Client:
    """Return a browser of somebody who has confirmed their address, by the button of the mail."""
    ask("listed@example.com", now=timezone.now())
    client = Client()
    assert client.post(links("listed@example.com")[0]).status_code == 200
    return client


def invitee() -> Client:
    """Return a browser that holds an invitation."""
    invited("invited@example.com", now=timezone.now())
    client = Client()
    assert client.post(links("invited@example.com")[0])["Location"] == "/signup/"
    return client


OUTSIDE: dict[str, Callable[[], Client]] = {
    "anonymous": Client,
    "waitlisted": waitlisted,
    "confirmed": on_the_list,
    "invited": invitee,
    "asleep": asleep,
    "halfway": halfway,
}
INSIDE: dict[str, Callable[[], Client]] = {
    "other member": lambda: client_of(make_user(email="other@example.com")),
    "clerk": clerk,
    "operator": lambda: client_of(make_user(email="operator@example.com", is_staff=True)),
}
# Where the password alone leads to, and an invitation: these pages go on from there.
ON_THE_WAY = {
    ("halfway", "account_login", "get"): 302,
    ("halfway", "account_login", "post"): 302,
    ("halfway", "mfa_authenticate", "get"): 200,
    ("halfway", "mfa_authenticate", "post"): 422,
    ("invited", "account_signup", "post"): 422,
}
# What the owner gets of rows that exist for nobody else.
OWN = {
    "journal:fill-drop": (405, 302),
    "journal:trade": (200, 405),
    "journal:trade-file": (200, 302),
    "journal:trade-file-take-in": (405, 302),
    "journal:trade-plan": (405, 302),
    "journal:trade-review": (405, 422),
    "journal:review-remark": (405, 422),
    "journal:plan-evidence": (200, 405),  # it is armed before
}


def visit(house: House, client: Client, name: str, method: str) -> TestResponse:
    Allowance.objects.all().delete()  # one visitor asks for everything here
    answer: TestResponse = getattr(client, method)(house.address(name))
    return answer


def in_order() -> list[tuple[str, str]]:
    """Return every route with each method; logging out comes last."""
    return sorted(((name, method) for name in ROUTES for method in METHODS), key=lambda one: one[0] == "account_logout")


def body(answer: TestResponse) -> bytes:
    return b"" if answer.streaming else answer.content


@pytest.mark.parametrize("actor", sorted(OUTSIDE))
def test_who_is_not_in_gets_what_strangers_get(actor: str, house: House) -> None:
    client, policies = OUTSIDE[actor](), pages()
    for name, method in in_order():
        answer, policy = visit(house, client, name, method), policies[name]
        if policy in {"public", "machine"}:
            expected = ROUTES[name].seen_by_stranger(method)
            expected = ON_THE_WAY.get((actor, name, method), expected)
        elif policy in {"staff", "operator"}:
            expected = 404
        else:
            expected = 401 if name.startswith("api-") else 302
        assert answer.status_code == expected, (actor, name, method)
        assert CANARY.encode() not in body(answer), (actor, name, method)
    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize("actor", sorted(INSIDE))
def test_who_is_in_gets_what_is_theirs_and_nothing_of_the_owners(actor: str, house: House) -> None:
    client, policies = INSIDE[actor](), pages()
    allowed = {"other member": set(), "clerk": {"staff"}, "operator": {"staff", "operator"}}[actor]
    for name, method in in_order():
        route, policy = ROUTES[name], policies[name]
        if name == "access:erase" and method == "post":
            continue  # what it does without the address typed again is tried where accounts are
        answer = visit(house, client, name, method)
        if policy in {"staff", "operator"}:
            expected = getattr(route, method) if policy in allowed else 404
        else:
            expected = 404 if route.is_private and getattr(route, method) not in {405, 415} else getattr(route, method)
        assert answer.status_code == expected, (actor, name, method)
        assert CANARY.encode() not in body(answer), (actor, name, method)
    assert ApiKey.objects.get(user=house.owner).revoked_at is None


def test_the_owner_sees_the_canary(house: House) -> None:
    client = client_of(house.owner)
    seen = {name for name in ROUTES if CANARY.encode() in body(visit(house, client, name, "get"))}
    assert {"access:account", "journal:plan-edit", "api-plan", "journal:trade-files"} <= seen


def test_what_others_do_not_find_is_there_for_its_owner(house: House) -> None:
    client = client_of(house.owner)
    private = {name: (route.get, route.post) for name, route in ROUTES.items() if route.is_private} | OWN
    got = {name: tuple(visit(house, client, name, method).status_code for method in METHODS) for name in private}
    assert got == private


def test_staff_without_permission_change_nothing_in_the_admin(house: House) -> None:
    client = clerk()
    for address in ("/admin/access/user/", f"/admin/access/user/{house.owner.pk}/change/", "/admin/bhweb/job/"):
        answer = client.get(address)
        assert answer.status_code == 403
        assert CANARY.encode() not in answer.content
    assert client.post(f"/admin/access/user/{house.owner.pk}/delete/", {"post": "yes"}).status_code == 403
