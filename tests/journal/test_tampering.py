from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection, transaction

from journal import queries
from journal.models import Plan
from journal.operations import arm_plan
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
SOON = NOW + dt.timedelta(days=3)
NOTHING = ("max_chase", "trail_atr", "time_stop_hours", "equity", "leverage", "belief_pct", "conviction")
BANNER = "This record does not match its hash."


@pytest.fixture
def draft(now: dt.datetime) -> Plan:
    zone = make_zone(heatmap=make_heatmap(), born_at=now)
    return make_plan(owner=make_user(), zone=zone, expires_at=SOON)


@pytest.fixture
def armed(draft: Plan) -> Plan:
    return arm_plan(owner_id=draft.owner_id, number=1, now=NOW)


@pytest.fixture
def client(draft: Plan) -> Client:
    return client_of(draft.owner)


def evidence_of(armed_at: dt.datetime, **changes: object) -> str:
    plan: dict[str, object] = {
        "number": 1,
        "direction": "long",
        "entry": "59200",
        "invalidation": "58600",
        "targets": [["61000", "1"]],
        "risk_pct": "0.5",
        "thesis": "Why not?",
        "wrong_if": "",
        "setups": [],
        "more_zones": [],
        "confirmation": {},
        "entry_kind": "limit",
        "management": "none",
        "trigger_source": "last",
        **dict.fromkeys(NOTHING),
        "expires_at": int(SOON.timestamp() * 1000),
    }
    return json.dumps({"armed_at_ms": int(armed_at.timestamp() * 1000), "plan": plan | changes})


def arm_by_hand(armed_at: dt.datetime, evidence: str, sha256: str = "0" * 64) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journal_plan SET armed_at = %s, evidence = %s, evidence_sha256 = %s", [armed_at, evidence, sha256]
        )


def present() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def tamper(change: str) -> None:
    """Do what only the owner of the database can: switch the triggers off and write."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE journal_plan SET {change}")
        cursor.execute("SET session_replication_role = origin")


def test_database_arms_what_agrees_with_itself(draft: Plan) -> None:
    moment = present()
    arm_by_hand(moment, evidence_of(moment))
    assert queries.get_plan(owner_id=draft.owner_id, number=1).armed_at == moment


@pytest.mark.parametrize("changes", [{"armed_at": NOW, "evidence": {}, "evidence_sha256": "0" * 64}])
def test_database_refuses_a_plan_that_is_born_armed(draft: Plan, changes: dict[str, Any]) -> None:
    values = {field.attname: getattr(draft, field.attname) for field in Plan._meta.concrete_fields}
    forged = Plan(**values | {"id": None, "number": 2} | changes)
    with pytest.raises(DatabaseError, match="can not be inserted armed"), transaction.atomic():
        forged.save(force_insert=True)


@pytest.mark.parametrize("away", [dt.timedelta(days=-2000), dt.timedelta(seconds=-20), dt.timedelta(seconds=20)])
@pytest.mark.usefixtures("draft")
def test_database_refuses_another_moment(away: dt.timedelta) -> None:
    moment = present() + away
    with pytest.raises(DatabaseError, match="only be armed at the present moment"):
        arm_by_hand(moment, evidence_of(moment))


@pytest.mark.parametrize("sha256", ["deadbeef", "0" * 63 + "G", "A" * 64])
@pytest.mark.usefixtures("draft")
def test_database_refuses_what_is_no_hash(sha256: str) -> None:
    moment = present()
    with pytest.raises(DatabaseError, match="without a SHA-256"):
        arm_by_hand(moment, evidence_of(moment), sha256)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 2},
        {"direction": "short"},
        {"entry": "59200.1"},
        {"invalidation": None},
        {"targets": [["61001", "1"]]},
        {"wrong_if": "x"},
        {"setups": ["x"]},
        {"more_zones": [1]},
        {"confirmation": {"rule": "manual"}},
        {"entry_kind": "stop"},
        {"belief_pct": 99},
        {"leverage": "3"},
        {"risk_pct": "5"},
        {"thesis": "Because."},
        {"expires_at": 0},
    ],
)
@pytest.mark.usefixtures("draft")
def test_database_refuses_evidence_of_another_plan(changes: dict[str, Any]) -> None:
    moment = present()
    with pytest.raises(DatabaseError, match="its evidence says otherwise"):
        arm_by_hand(moment, evidence_of(moment, **changes))


@pytest.mark.parametrize("evidence", ["{}", "[]", "null", evidence_of(SOON)])
@pytest.mark.usefixtures("draft")
def test_database_refuses_evidence_of_another_moment(evidence: str) -> None:
    with pytest.raises(DatabaseError, match="its evidence says otherwise"):
        arm_by_hand(present(), evidence)


def test_armed_plan_is_intact(armed: Plan, client: Client) -> None:
    assert queries.is_intact(plan=queries.get_plan(owner_id=armed.owner_id, number=1))
    assert BANNER not in client.get("/plans/1/").content.decode()
    assert client.get("/api/v1/plans/1/").json()["is_intact"] is True


def test_draft_has_nothing_to_be_intact(client: Client) -> None:
    assert client.get("/api/v1/plans/1/").json()["is_intact"] is None
    assert BANNER not in client.get("/plans/1/").content.decode()


@pytest.mark.usefixtures("armed")
@pytest.mark.parametrize(
    "change",
    [
        "armed_at = '2020-01-01Z'",
        "entry = 59000",
        "invalidation = entry",
        'targets = \'[["1", "1"]]\'',
        "thesis = 'I knew it.'",
        "number = 1, direction = 'short'",
        "evidence = '{}'",
        "evidence = '[]'",
        "evidence = 'null'",
        """evidence = evidence || '{"market": {"last_price": 0.5}}'""",
        """evidence = evidence || '{"ü": 1}'""",
        "evidence = jsonb_set(evidence, '{zone,now,usd}', '\"1\"')",
        "evidence_sha256 = 'deadbeef'",
    ],
)
def test_tampering_shows_on_the_page_and_in_the_api(change: str, client: Client) -> None:
    tamper(change)
    page = client.get("/plans/1/")
    assert page.status_code == 200
    assert BANNER in page.content.decode()
    assert "Last price at arming" not in page.content.decode()
    assert client.get("/api/v1/plans/1/").json()["is_intact"] is False
    assert client.get("/api/v1/plans/").json()["results"][0]["is_intact"] is False
    assert "not intact" in client.get("/plans/").content.decode()
    assert client.get("/plans/1/evidence.json").status_code in {200, 404}
