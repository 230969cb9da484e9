"""Two walls around private rows: the queries' filter, and PostgreSQL's own policy. Each holds without the other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from access.models import User
from access.owning import WEB_ROLE, OwnedManager, name_owner
from bhweb.walls import ForgetOwner, grant_web_role
from journal import operations
from journal.models import JournalEntry, Judgement, Plan, PlanEvent, Unfinished
from tests.factories import make_plan, make_user
from tests.journal.terms import NOW, SOON
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
PRIVATE: tuple[type[models.Model], ...] = (Plan, Unfinished, JournalEntry, Judgement, PlanEvent)
TABLES = tuple(model._meta.db_table for model in PRIVATE)
REFUSED = (
    r"can not be changed|can only be added to|permission denied|must be owner|row-level security|armed|present moment"
)


@pytest.fixture
def other(zone: Zone) -> User:
    """Somebody else, with a row of everything."""
    other = make_user(email="other@example.com")
    plan = make_plan(owner=other, zone=zone, expires_at=SOON, number=77, thesis="canary")
    operations.arm_plan(owner_id=other.pk, number=77, now=NOW)
    fields = {"thesis": ["canary"]}
    operations.keep_unfinished(owner_id=other.pk, zone_id=zone.pk, plan_number=0, fields=fields, now=NOW)
    PlanEvent.objects.append([PlanEvent(plan=plan, number=1, kind="triggered", at=NOW, note="canary", engine="2")])
    return other


@contextmanager
def as_web(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Go on as the role under which the web server connects."""
    grant_web_role()
    with monkeypatch.context() as patch, connection.cursor() as cursor:
        patch.setitem(connection.settings_dict, "USER", WEB_ROLE)
        cursor.execute(f"SET ROLE {WEB_ROLE}")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("SELECT set_config('bh.owner', '', false)")


def counts() -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return found


def test_every_table_of_an_owner_has_a_policy_and_one_door() -> None:
    owned = [
        model
        for model in apps.get_models()
        if model._meta.app_label in {"journal", "alerts"}
        and any(field.related_model is User for field in model._meta.fields if field.name == "owner")
    ]
    assert {model.__name__ for model in owned} > {"Plan", "Trade", "Review", "Notice", "Watched"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relrowsecurity")
        walled = {name for (name,) in cursor.fetchall()}
    assert {model._meta.db_table for model in owned} - walled == set()
    assert [model for model in owned if not isinstance(model._default_manager, OwnedManager)] == []


def test_database_shows_rows_to_their_owner_only(owner: User, other: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(counts().values())
    with as_web(monkeypatch):
        assert not any(counts().values())
        name_owner(owner.pk)
        assert not any(counts().values())
        name_owner(other.pk)
        assert all(counts().values())
        ForgetOwner(lambda request: request)(None)  # type: ignore[arg-type,return-value]  # it looks at neither
        assert not any(counts().values())


@pytest.mark.parametrize("is_filtered", [True, False], ids=["no policy", "no filter"])
def test_each_wall_holds_alone(
    is_filtered: bool, owner: User, other: User, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON, thesis="mine")
    client = client_of(owner)
    paths = ["/plans/", "/plans/1/", f"/plans/new/?zone={zone.pk}", "/plans/export.json", "/api/v1/plans/"]

    def bodies() -> str:
        return "".join(client.get(path).content.decode() for path in paths)

    if is_filtered:
        assert "P-1" in (said := bodies())
        assert ("canary" in said, "P-77" in said) == (False, False)
        return

    def unfiltered(self: models.Manager[Any], owner_id: int) -> models.QuerySet[Any]:
        name_owner(owner_id)
        return models.Manager.get_queryset(self)

    for model in PRIVATE:
        monkeypatch.setattr(type(model.objects), "owned_by", unfiltered)  # type: ignore[attr-defined]  # each has one
    assert "canary" in bodies()  # the plant works: without the filter everything shows
    with as_web(monkeypatch):
        assert "P-1" in (said := bodies())
        assert ("canary" in said, "P-77" in said) == (False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_plan SET thesis = 'x' WHERE armed_at IS NOT NULL",
        "UPDATE journal_journalentry SET note = 'x'",
        "UPDATE journal_planevent SET result = 9",
        "DELETE FROM journal_plan WHERE armed_at IS NOT NULL",
        "DELETE FROM journal_journalentry",
        "TRUNCATE journal_plan CASCADE",
        "ALTER TABLE journal_plan DISABLE TRIGGER ALL",
        "DROP TRIGGER journal_plan_lock ON journal_plan",
        "DROP POLICY own_rows ON journal_plan",
        "ALTER TABLE journal_plan DISABLE ROW LEVEL SECURITY",
        "DROP FUNCTION journal_refuse_change() CASCADE",
        "SET session_replication_role = replica",
        (
            "INSERT INTO journal_unfinished (owner_id, zone_id, plan_number, fields)"
            " SELECT u.id, z.id, 5, '{}' FROM access_user u, heatmaps_zone z WHERE u.email = 'owner@example.com'"
        ),
    ],
)
def test_web_role_is_held_back(statement: str, owner: User, other: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with as_web(monkeypatch):
        name_owner(other.pk)
        with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_web_role_does_what_the_site_does(owner: User, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    client = client_of(owner)
    with as_web(monkeypatch):
        assert client.post("/plans/1/arm/").status_code == 302
        assert client.post("/plans/1/amend/", {"kind": "noted", "note": "x"}).status_code == 302
        assert client.post("/plans/1/undo/").status_code == 302
        for path in ("/plans/1/", "/trades/", "/review/", "/alerts/"):
            assert client.get(path).status_code == 200, path
