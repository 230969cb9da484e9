"""The chain of entries: arming, undo, amendments, export, and what verification finds."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from access.operations import erase_account
from access.owning import OwnerScopeError
from journal import operations, queries
from journal.models import JournalEntry, Judgement, Plan
from journal.operations import Amendment
from tests.factories import make_plan
from tests.journal.terms import NOW, SOON, TERMS, text
from tests.journal.undoing import await_room

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_export.py"


@pytest.fixture
def plan(owner: User, zone: Zone) -> Plan:
    plan = make_plan(owner=owner, zone=zone, expires_at=SOON)
    return operations.arm_plan(owner_id=owner.pk, number=plan.number, now=NOW)


def amend(plan: Plan, kind: str, **given: Any) -> JournalEntry:  # noqa: ANN401  # an amendment by name
    return operations.amend_plan(owner_id=plan.owner_id, number=1, amendment=Amendment(kind, **given), now=NOW)


def says(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, json.loads(one.content)) for one in queries.list_entries(owner_id=plan.owner_id)]


def by_force(statement: str) -> None:
    """Do what only the owner of the database can: switch the triggers off and write."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_arming_is_the_first_entry(plan: Plan) -> None:
    ((kind, said),) = says(plan)
    assert (kind, said) == ("armed", plan.evidence)
    (entry,) = queries.list_entries(owner_id=plan.owner_id)
    assert (entry.content_sha256, entry.at, entry.previous_sha256) == (plan.evidence_sha256, plan.armed_at, "")
    assert queries.verify_chain(owner_id=plan.owner_id) == (1, [])


@pytest.fixture
def room() -> None:
    await_room()


@pytest.mark.usefixtures("room")
def test_arming_is_undone_within_its_minute(plan: Plan, client: Client) -> None:
    assert "Undo arming" in text(client.get("/plans/1/"))
    assert client.post("/plans/1/undo/")["Location"] == "/plans/1/"
    stored = Plan.objects.owned_by(plan.owner_id).get()
    assert (stored.armed_at, stored.evidence, stored.evidence_sha256) == (None, None, "")
    assert not Judgement.objects.owned_by(plan.owner_id).exists()
    operations.arm_plan(owner_id=plan.owner_id, number=1, now=NOW)
    assert [kind for kind, _ in says(plan)] == ["armed", "undone", "armed"]
    assert queries.verify_chain(owner_id=plan.owner_id) == (3, [])


def test_arming_stays_once_its_minute_is_over(plan: Plan, client: Client) -> None:
    by_force("UPDATE journal_plan SET armed_at = armed_at - interval '1 minute'")
    assert client.post("/plans/1/undo/").status_code == 409
    with pytest.raises(DatabaseError, match="is armed and can not be changed"), transaction.atomic():
        Plan.objects.owned_by(plan.owner_id).update(armed_at=None, evidence=None, evidence_sha256="")
    assert "Undo arming" not in text(client.get("/plans/1/"))


def test_undo_changes_nothing_else(plan: Plan) -> None:
    with pytest.raises(DatabaseError, match="is armed and can not be changed"), transaction.atomic():
        Plan.objects.owned_by(plan.owner_id).update(armed_at=None, evidence=None, evidence_sha256="", thesis="Other.")


def test_amendments_touch_execution_only(plan: Plan, client: Client) -> None:
    before = dict(vars(queries.get_plan(owner_id=plan.owner_id, number=1)))
    amend(plan, "stop", price=Decimal(58_800))
    amend(plan, "stop", price=Decimal(58_700))
    amend(plan, "target", price=Decimal(60_000))
    amend(plan, "partial", share_pct=Decimal(50))
    amend(plan, "noted", note="Slow.")
    said = [content for _, content in says(plan)][1:]
    assert [one["is_risk_increasing"] for one in said] == [False, True, False, False, False]
    assert all(not one["is_after_outcome"] for one in said)
    after = vars(queries.get_plan(owner_id=plan.owner_id, number=1))
    assert {k: v for k, v in after.items() if k != "_state"} == {k: v for k, v in before.items() if k != "_state"}
    page = text(client.get("/plans/1/"))
    for words in ("Stop moved 58,700.0 risks more", "Closed in part 50 %", "Slow."):
        assert words in page
    # The chain has the salted hash of words, not the words.
    assert "Slow." not in "".join(entry.content for entry in queries.list_entries(owner_id=plan.owner_id))
    assert queries.verify_chain(owner_id=plan.owner_id) == (6, [])


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"kind": "stop"}, "price", "Give a price."),
        ({"kind": "partial"}, "share_pct", "Give the share that was closed."),
        ({"kind": "cancelled", "note": " "}, "note", "Write at least one sentence."),
        ({"kind": "confirmed"}, "kind", "Choose one of the list."),
        ({"kind": "armed"}, "kind", "Choose one of the list."),
        ({}, "kind", "Choose one of the list."),
    ],
)
def test_wrong_amendments_say_what_to_change(
    sent: dict[str, str], field: str, sentence: str, plan: Plan, client: Client
) -> None:
    page = client.post("/plans/1/amend/", sent)
    assert page.status_code == 422
    assert f'id="amend_{field}_error"><li>{sentence}' in page.content.decode()
    assert len(says(plan)) == 1


def test_plan_is_cancelled_once_and_with_a_reason(plan: Plan, client: Client) -> None:
    assert client.post("/plans/1/amend/", {"kind": "cancelled", "note": "News."}).status_code == 302
    assert says(plan)[1][1]["is_hindsight"] is False
    assert client.post("/plans/1/amend/", {"kind": "cancelled", "note": "Again."}).status_code == 422
    assert "cancelled" in text(client.get("/plans/1/"))
    assert "cancelled" in text(client.get("/plans/"))
    for state, is_listed in (("waiting", False), ("cancelled", True), ("", True)):
        assert (">P-1<" in client.get("/plans/", {"state": state}).content.decode()) == is_listed


def test_drafts_have_no_amendments(owner: User, zone: Zone) -> None:
    plan = make_plan(owner=owner, zone=zone, expires_at=SOON)
    with pytest.raises(operations.UnfitError, match="Arm it first"):
        amend(plan, "noted", note="x")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"at": NOW - dt.timedelta(hours=1)}, "at the present moment"),
        ({"number": 7}, "follows the one before"),
        ({"previous_sha256": "0" * 64}, "follows the one before"),
        ({"content": "{}"}, "follows the one before"),
        ({"sha256": "0" * 64}, "follows the one before"),
        ({"plan_id": 0}, "belongs to a plan of its owner"),
    ],
)
def test_database_refuses_a_forged_entry(changes: dict[str, Any], sentence: str, plan: Plan) -> None:
    (entry,) = queries.list_entries(owner_id=plan.owner_id)
    forged = {f.attname: getattr(entry, f.attname) for f in JournalEntry._meta.concrete_fields}
    forged |= {"id": None, "number": 2, "previous_sha256": entry.sha256, "at": operations.database_clock()}
    with pytest.raises(DatabaseError, match=sentence), transaction.atomic():
        JournalEntry(**forged | changes).save(force_insert=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_journalentry SET note = 'x'",
        "DELETE FROM journal_journalentry",
        "TRUNCATE journal_journalentry",
    ],
)
def test_database_keeps_entries(statement: str, plan: Plan) -> None:
    with pytest.raises(DatabaseError, match=r"can only be added to|can not be truncated"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE journal_journalentry SET content = replace(content, '59200', '59100')", "another hash"),
        ("UPDATE journal_journalentry SET at = at - interval '1 day' WHERE number = 2", "the link has another hash"),
        ("UPDATE journal_journalentry SET kind = 'stop' WHERE number = 2", "the link has another hash"),
        ("DELETE FROM journal_journalentry WHERE number = 1", "does not follow"),
        ("DELETE FROM journal_journalentry WHERE number = 2", "an entry is missing"),
        ("UPDATE journal_plan SET thesis = 'I knew it.'", "the plan is not what was armed"),
        ("UPDATE journal_plan SET armed_at = armed_at - interval '1 day'", "the plan is not what was armed"),
        ("UPDATE journal_plan SET armed_at = NULL, evidence = NULL, evidence_sha256 = ''", "and it is not"),
    ],
)
def test_verification_finds_what_was_changed_by_force(
    statement: str, sentence: str, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    for note in ("one", "two"):
        amend(plan, "noted", note=note)
    call_command("verify_journal")
    assert capsys.readouterr().out.endswith("3 entries of 1 owners, 0 findings\n")
    by_force(statement)
    with pytest.raises(SystemExit):
        call_command("verify_journal")
    assert sentence in capsys.readouterr().out


def test_export_verifies_with_the_public_script(plan: Plan, client: Client, tmp_path: Path) -> None:
    amend(plan, "noted", note="Lång “note”\u2028")
    export = tmp_path / "journal.json"
    export.write_bytes(client.get("/plans/export.json").content)

    def verify() -> tuple[int, str]:
        run = subprocess.run([sys.executable, SCRIPT, export], capture_output=True, text=True, check=False)
        return run.returncode, run.stdout

    code, said = verify()
    assert (code, said.startswith("2 entries, 0 wrong")) == (0, True)
    export.write_text(export.read_text().replace("59200", "59100", 1).replace("note", "nota", 1))
    assert verify()[0] == 1
    assert len(SCRIPT.read_text().splitlines()) <= 25


def test_erasing_an_account_erases_its_chain(plan: Plan) -> None:
    erase_account(user_id=plan.owner_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journal_journalentry")
        assert cursor.fetchone() == (0,)


def test_entries_can_not_be_asked_for_without_an_owner() -> None:
    with pytest.raises(OwnerScopeError):
        JournalEntry.objects.all()


def test_confirmation_by_hand_is_judged(owner: User, zone: Zone, client: Client) -> None:
    sent = TERMS | {"confirm_rule": "manual", "entry_kind": "confirmed"}
    client.post(f"/plans/new/?zone={zone.pk}", sent)
    client.post("/plans/1/arm/")
    assert client.post("/plans/1/amend/", {"kind": "confirmed"}).status_code == 302
    (press,) = JournalEntry.objects.presses([Plan.objects.owned_by(owner.pk).get().pk])
    assert press.kind == "confirmed"
