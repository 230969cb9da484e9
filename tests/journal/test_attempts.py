"""Attempts to edit, back-date or take back what is locked: by form, API, admin, ORM in bulk, raw SQL as the web role.

A few hundred here, 10,000 with BH_CAMPAIGNS=1; none may be accepted, and afterwards everything verifies as before.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from access.models import Allowance
from journal import operations, queries
from journal.models import JournalEntry, Judgement, Plan, PlanEvent
from tests.factories import make_plan
from tests.journal.terms import NOW, SOON, TERMS
from tests.journal.test_api_writing import TERMS as API_TERMS
from tests.journal.test_walls import as_web

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
ATTEMPTS: Final = 10_000 if os.environ.get("BH_CAMPAIGNS") else 300
VALUES: Final[dict[str, list[Any]]] = {
    "thesis": ["I knew it.", ""],
    "wrong_if": ["Nothing."],
    "entry": [59_000, 1],
    "invalidation": [58_000, 59_100],
    "targets": [[["60000", "1"]], []],
    "direction": ["short", "observe"],
    "risk_pct": [5],
    "belief_pct": [1, 99],
    "expires_at": [NOW + dt.timedelta(days=20)],
    "armed_at": [NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=1)],
    "created_at": [NOW - dt.timedelta(days=1)],
    "number": [2],
    "evidence": [{}, {"schema": "x"}],
    "evidence_sha256": ["0" * 64],
}
ENTRY_VALUES: Final[dict[str, list[Any]]] = {
    "at": [NOW - dt.timedelta(days=1)],
    "content": ["{}"],
    "kind": ["stop"],
    "number": [5],
    "sha256": ["0" * 64],
    "note": ["other"],
}


def pick(generator: np.random.Generator, values: dict[str, list[Any]]) -> tuple[str, Any]:
    name = list(values)[generator.integers(len(values))]
    return name, values[name][generator.integers(len(values[name]))]


def by_form(generator: np.random.Generator, client: Client, owner: User) -> bool:
    path = ("/plans/1/edit/", "/plans/1/arm/", "/plans/1/undo/", "/plans/keep/?zone=1&plan=1")[generator.integers(4)]
    client.post(path, TERMS | {"thesis": "Later.", "armed_at": "2020-01-01T00:00", "now": "2020-01-01"})
    return False


def by_api(generator: np.random.Generator, client: Client, owner: User) -> bool:
    Allowance.objects.all().delete()  # it is the lock that has to refuse, not the limit
    back = {"armed_at": "2020-01-01T00:00:00Z", "at": "2020-01-01T00:00:00Z"}
    tries: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("put", "", API_TERMS | {"thesis": "Later."}),
        ("put", "", API_TERMS | {"armed_at": back["armed_at"]}),
        ("patch", "", {"thesis": "Later."}),
        ("delete", "", {}),
        ("post", "undo/", back),
        ("post", "entries/", {"kind": "noted", "note": "x", "at": back["at"]}),
        ("post", "entries/", {"kind": "armed"}),
        ("put", "entries/", {"note": "other"}),
        ("delete", "events/1/", {}),
        ("put", "events/1/", {"result": "9"}),
    )
    method, path, body = tries[generator.integers(len(tries))]
    answer = getattr(client, method)(f"/api/v1/plans/1/{path}", body, content_type="application/json")
    return bool(answer.status_code < 400)


def by_admin(generator: np.random.Generator, client: Client, owner: User) -> bool:
    table = ("plan", "journalentry", "planevent", "judgement")[generator.integers(4)]
    return bool(client.post(f"/admin/journal/{table}/1/change/", {"thesis": "Later."}).status_code == 200)


def refused(write: Callable[[], object]) -> bool:
    """Whether a write was accepted: it changed rows and raised nothing."""
    try:
        with transaction.atomic():
            return bool(write())
    except (DatabaseError, ValueError, TypeError):
        return False


def by_orm(generator: np.random.Generator, client: Client, owner: User) -> bool:
    plans, entries = Plan.objects.owned_by(owner.pk), JournalEntry.objects.owned_by(owner.pk)
    events = PlanEvent.objects.owned_by(owner.pk)
    (name, value), (entry_name, entry_value) = pick(generator, VALUES), pick(generator, ENTRY_VALUES)

    def bulk(rows: list[Any], field: str, to: object) -> int:
        for row in rows:
            setattr(row, field, to)
        return int(type(rows[0])._base_manager.bulk_update(rows, [field]))

    writes: list[Callable[[], object]] = [
        lambda: plans.update(**{name: value}),
        lambda: bulk(list(plans), name, value),
        lambda: plans.filter(armed_at__isnull=False).delete()[0],
        lambda: entries.update(**{entry_name: entry_value}),
        lambda: bulk(list(entries), entry_name, entry_value),
        lambda: entries.delete()[0],
        lambda: events.update(note="other"),
        lambda: events.delete()[0],
    ]
    return refused(writes[generator.integers(len(writes))])


def by_sql(generator: np.random.Generator, client: Client, owner: User) -> bool:
    statements = (
        "UPDATE journal_plan SET thesis = 'x' RETURNING 1",
        "UPDATE journal_plan SET armed_at = armed_at - interval '1 hour' RETURNING 1",
        "UPDATE journal_plan SET armed_at = NULL, evidence = NULL, evidence_sha256 = '' RETURNING 1",
        "DELETE FROM journal_plan RETURNING 1",
        "UPDATE journal_journalentry SET at = at - interval '1 hour' RETURNING 1",
        "DELETE FROM journal_journalentry WHERE number = 1 RETURNING 1",
        "UPDATE journal_planevent SET result = 9 RETURNING 1",
        "TRUNCATE journal_planevent",
        "ALTER TABLE journal_plan DISABLE TRIGGER USER",
        "SET LOCAL session_replication_role = replica",
        "DROP FUNCTION journal_refuse_change() CASCADE",
        "INSERT INTO journal_journalentry SELECT * FROM journal_journalentry RETURNING 1",
    )

    def write() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(statements[generator.integers(len(statements))])
            return cursor.description is None or cursor.fetchone() is not None

    return refused(write)


DOORS: Final = (by_form, by_api, by_admin, by_orm, by_sql)


def test_nothing_that_is_locked_can_be_changed(
    owner: User, zone: Zone, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(owner=owner, zone=zone, expires_at=SOON)
    plan = operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    amendment = operations.Amendment("noted", note="x")
    operations.amend_plan(owner_id=owner.pk, number=1, amendment=amendment, now=NOW)
    # The judge has begun, so that undoing is over too.
    PlanEvent.objects.append([PlanEvent(plan=plan, number=1, kind="touched", at=NOW, engine="2")])
    Judgement.objects.owned_by(owner.pk).update(event_count=1)
    monkeypatch.setattr("journal.operations.arming.closes_at", lambda armed_at: armed_at)
    before, told = queries.canonical_json(queries.export_journal(owner_id=owner.pk)), vars(plan).copy()
    generator = np.random.default_rng(12)
    accepted: list[str] = []
    with as_web(monkeypatch):
        for i in range(ATTEMPTS):
            door = DOORS[i % len(DOORS)]
            if door(generator, client, owner):
                accepted.append(f"{i}: {door.__name__}")
    assert accepted == []
    assert queries.canonical_json(queries.export_journal(owner_id=owner.pk)) == before
    after = vars(Plan.objects.owned_by(owner.pk).get())
    assert {k: after[k] for k in after if k != "_state"} == {k: told[k] for k in after if k != "_state"}
    assert queries.verify_chain(owner_id=owner.pk) == (2, [])
