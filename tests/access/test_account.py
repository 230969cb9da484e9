from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from access import operations
from access.models import ApiKey, User
from journal.models import Plan
from journal.operations import arm_plan
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.pages import client_of

pytestmark = pytest.mark.django_db


def test_account_shows_a_new_key_once() -> None:
    client = client_of(make_user())
    made = client.post("/account/", {"name": "notebook"})
    found = re.search(r"bh_[\w-]{43}", made.content.decode())
    assert made.status_code == 201
    assert found is not None
    key = ApiKey.objects.get()
    assert (key.name, key.digest) == ("notebook", operations.digest(found[0]))
    assert made["Cache-Control"] == "private, no-store"
    assert found[0] not in client.get("/account/").content.decode()


def test_account_refuses_a_key_without_name() -> None:
    client = client_of(make_user())
    refused = client.post("/account/", {"name": " "})
    assert refused.status_code == 422
    assert "Give the key a name" in refused.content.decode()
    assert ApiKey.objects.count() == 0


def test_account_escapes_names() -> None:
    client = client_of(make_user())
    client.post("/account/", {"name": "<script>alert(1)</script>"})
    page = client.get("/account/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_account_holds_at_most_twenty_working_keys(now: dt.datetime) -> None:
    user = make_user()
    keys = [operations.create_api_key(user=user, name=str(n))[0] for n in range(20)]
    refused = client_of(user).post("/account/", {"name": "one more"})
    assert refused.status_code == 422
    assert "Revoke one first" in refused.content.decode()
    operations.revoke_api_key(user=user, key_id=keys[0].pk, now=now)
    assert client_of(user).post("/account/", {"name": "one more"}).status_code == 201


def test_revoke_stops_a_key() -> None:
    user = make_user()
    key, secret = operations.create_api_key(user=user, name="a")
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/plans/").status_code == 200
    assert client_of(user).post(f"/account/keys/{key.pk}/revoke/").status_code == 302
    assert program.get("/api/v1/plans/").status_code == 401


def test_revoke_of_anothers_key_is_as_absent_as_none() -> None:
    key, _ = operations.create_api_key(user=make_user(), name="a")
    outsider = client_of(make_user(email="outsider@example.com"))
    foreign = outsider.post(f"/account/keys/{key.pk}/revoke/")
    absent = outsider.post(f"/account/keys/{key.pk + 1}/revoke/")
    assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert ApiKey.objects.get().revoked_at is None


def test_key_of_a_sleeping_user_is_refused() -> None:
    user = make_user()
    _, secret = operations.create_api_key(user=user, name="a")
    User.objects.update(is_active=False)
    assert Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/plans/").status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer ", "Bearer bh_", "Bearer nonsense", "Bearer bh_\x00", "Bearer " + "x" * 9000]
)
def test_wrong_key_is_refused_even_with_a_session(header: str) -> None:
    client = client_of(make_user())
    refused = client.get("/api/v1/plans/", headers={"Authorization": header})
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")


def test_use_of_a_key_is_noted_once_a_minute(now: dt.datetime) -> None:
    _, secret = operations.create_api_key(user=make_user(), name="a")

    def use(moment: dt.datetime) -> dt.datetime | None:
        operations.authenticate_key(secret=secret, now=moment)
        return ApiKey.objects.get().last_used_at

    assert use(now) == now
    assert use(now + dt.timedelta(seconds=59)) == now
    assert use(now + dt.timedelta(seconds=61)) == now + dt.timedelta(seconds=61)


def test_createsuperuser_makes_staff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough phrase")
    call_command("createsuperuser", email="Boss@Example.com", interactive=False, verbosity=0)
    user = User.objects.get(email="boss@example.com")
    assert (user.is_staff, user.is_superuser, user.check_password("a long enough phrase")) == (True, True, True)


def test_addresses_are_unique_in_any_case() -> None:
    make_user()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="OWNER@example.com")


def test_erase_takes_armed_plans_and_nobody_elses(now: dt.datetime) -> None:
    owner, other = make_user(), make_user(email="other@example.com")
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    for user in (owner, other):
        make_plan(owner=user, zone=zone, expires_at=now + dt.timedelta(days=1))
        arm_plan(owner_id=user.pk, number=1, now=now)
    operations.create_api_key(user=owner, name="a")
    operations.erase_account(user_id=owner.pk)
    assert list(User.objects.all()) == [other]
    assert Plan.objects.owned_by(owner.pk).count() == 0
    assert Plan.objects.owned_by(other.pk).count() == 1
    assert ApiKey.objects.count() == 0


def test_admin_erases_a_user_with_armed_plans(now: dt.datetime) -> None:
    boss = make_user(email="boss@example.com", is_staff=True)
    owner = make_user()
    make_plan(owner=owner, zone=make_zone(heatmap=make_heatmap(), born_at=now), expires_at=now + dt.timedelta(days=1))
    arm_plan(owner_id=owner.pk, number=1, now=now)
    response = client_of(boss).post(f"/admin/access/user/{owner.pk}/delete/", {"post": "yes"})
    assert response.status_code == 302
    assert list(User.objects.all()) == [boss]
