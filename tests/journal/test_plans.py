from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from access.owning import OwnerScopeError
from journal import operations, queries
from journal.models import Plan
from journal.operations import Terms
from market.operations import store
from market.series import BAR
from tests.factories import make_heatmap, make_plan, make_user, make_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def zone(now: dt.datetime) -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=now)


@pytest.fixture
def terms(now: dt.datetime) -> Terms:
    return Terms(
        direction="long",
        entry=Decimal("59200.10"),
        invalidation=Decimal(58600),
        targets=[["61000", "1"]],
        risk_pct=Decimal("0.5"),
        thesis="Löng — “quoted”\n\u2028 \x7f \\ /",
        expires_at=now + dt.timedelta(days=7),
    )


@pytest.fixture
def draft(owner: User, zone: Zone, terms: Terms, now: dt.datetime) -> Plan:
    return operations.create_draft(owner_id=owner.pk, zone_id=zone.pk, terms=terms, request_key=None, now=now)


@pytest.fixture
def armed(draft: Plan, now: dt.datetime) -> Plan:
    return operations.arm_plan(owner_id=draft.owner_id, number=draft.number, now=now)


@pytest.mark.parametrize(
    "ask",
    [
        Plan.objects.all,
        Plan.objects.count,
        lambda: Plan.objects.filter(pk=1),
        lambda: Plan.objects.get(pk=1),
        lambda: Plan.objects.values("pk"),
        Plan.objects.none,
        lambda: Plan.objects.create(number=1),
        Plan._default_manager.first,
    ],
)
def test_plans_can_not_be_asked_for_without_an_owner(ask: Callable[[], object]) -> None:
    with pytest.raises(OwnerScopeError):
        ask()


def test_drafts_count_up_within_an_owner(owner: User, zone: Zone, terms: Terms, now: dt.datetime) -> None:
    other = make_user(email="other@example.com")
    numbers = [
        operations.create_draft(owner_id=user.pk, zone_id=zone.pk, terms=terms, request_key=None, now=now).number
        for user in (owner, owner, other)
    ]
    assert numbers == [1, 2, 1]


def test_one_request_makes_one_draft(owner: User, zone: Zone, terms: Terms, now: dt.datetime) -> None:
    key = UUID(int=7)
    first, again = (
        operations.create_draft(owner_id=owner.pk, zone_id=zone.pk, terms=terms, request_key=key, now=now)
        for _ in range(2)
    )
    assert first.pk == again.pk
    assert Plan.objects.owned_by(owner.pk).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"invalidation": Decimal(59300)}, "invalidation"),
        ({"invalidation": Decimal("59200.10")}, "invalidation"),
        ({"targets": [["59000", "1"]]}, "targets"),
        ({"targets": [["59200.10", "1"]]}, "targets"),
        ({"risk_pct": Decimal(0)}, "risk_pct"),
        ({"risk_pct": Decimal("100.01")}, "risk_pct"),
        ({"expires_at": dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)}, "expires_at"),
        ({"expires_at": dt.datetime(2026, 2, 14, 12, 0, 1, tzinfo=dt.UTC)}, "expires_at"),
    ],
)
def test_unfit_terms_name_the_field(
    changes: dict[str, Any], field: str, zone: Zone, terms: Terms, now: dt.datetime
) -> None:
    owner, unfit = make_user(), replace(terms, **changes)
    assert list(operations.find_problems(terms=asdict(unfit), now=now)) == [field]
    with pytest.raises(operations.UnfitError):
        operations.create_draft(owner_id=owner.pk, zone_id=zone.pk, terms=unfit, request_key=None, now=now)
    assert Plan.objects.owned_by(owner.pk).count() == 0


def test_terms_at_their_bounds_are_fit(terms: Terms, now: dt.datetime) -> None:
    bounds = replace(terms, risk_pct=Decimal(100), expires_at=now + dt.timedelta(days=30))
    assert operations.find_problems(terms=asdict(bounds), now=now) == {}


def test_every_problem_is_named_at_once(terms: Terms, now: dt.datetime) -> None:
    mirrored = replace(terms, direction="short", risk_pct=Decimal(101), expires_at=now)
    assert list(operations.find_problems(terms=asdict(mirrored), now=now)) == [
        "invalidation",
        "targets",
        "risk_pct",
        "expires_at",
    ]


def test_arming_takes_the_database_clock(armed: Plan) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        later = cursor.fetchone()[0]
    assert armed.armed_at is not None
    assert dt.timedelta(0) <= later - armed.armed_at < dt.timedelta(minutes=1)


def test_arming_freezes_terms_zone_and_market(draft: Plan, zone: Zone, now: dt.datetime) -> None:
    bars = np.zeros(5, BAR)
    bars["open_time"] = int(now.timestamp() * 1000) - 60_000 * np.arange(5, 0, -1)
    for name in ("open", "high", "low", "close"):
        bars[name] = 60_123.4
    store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=60, now=now)
    armed = operations.arm_plan(owner_id=draft.owner_id, number=1, now=now)
    evidence: Any = armed.evidence
    assert evidence["plan"] == {
        "number": 1,
        "direction": "long",
        "entry": "59200.1",
        "invalidation": "58600",
        "targets": [["61000", "1"]],
        "risk_pct": "0.5",
        "thesis": draft.thesis,
        "wrong_if": "",
        "expires_at": int((now + dt.timedelta(days=7)).timestamp() * 1000),
        "setups": [],
        "more_zones": [],
        "confirmation": {},
        "entry_kind": "limit",
        "management": "none",
        "trigger_source": "last",
        **dict.fromkeys(
            ("max_chase", "trail_atr", "time_stop_hours", "equity", "leverage", "belief_pct", "conviction")
        ),
    }
    assert evidence["market"] == {
        "last_price": "60123.4",
        "bar_end_ms": int(now.timestamp() * 1000),
        "is_stale": False,
        "mark_price": None,
        "open_interest": None,
        "funding_rate": None,
    }
    layers = evidence["context"]["layers"]
    assert (bool(layers["regime"]["reason"]), layers["accounts"]["note"]) == (True, "for each short")
    assert (evidence["risk"]["entry_fee"], evidence["risk"]["reward"]["gross"]) == ("0.0002", "2.999333444426")
    assert (evidence["instrument"]["key"], bool(evidence["zone"])) == ("binance:BTCUSDT", True)


def test_arming_without_bars_says_null(armed: Plan) -> None:
    assert (armed.evidence or {})["market"] == {"last_price": None, "bar_end_ms": None, "is_stale": None}


def test_hash_is_that_of_the_canonical_evidence(armed: Plan) -> None:
    stored = queries.get_plan(owner_id=armed.owner_id, number=1)
    spelled = json.dumps(stored.evidence, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert hashlib.sha256(spelled.encode()).hexdigest() == stored.evidence_sha256


def test_evidence_carries_the_hash_of_the_plan_before(armed: Plan, zone: Zone, terms: Terms, now: dt.datetime) -> None:
    operations.create_draft(owner_id=armed.owner_id, zone_id=zone.pk, terms=terms, request_key=None, now=now)
    second = operations.arm_plan(owner_id=armed.owner_id, number=2, now=now)
    assert (armed.evidence or {})["previous_sha256"] is None
    assert (second.evidence or {})["previous_sha256"] == armed.evidence_sha256


def test_arming_twice_changes_nothing(armed: Plan, now: dt.datetime) -> None:
    again = operations.arm_plan(owner_id=armed.owner_id, number=1, now=now + dt.timedelta(days=60))
    assert (again.armed_at, again.evidence_sha256) == (armed.armed_at, armed.evidence_sha256)


def test_arming_checks_the_expiry_again(draft: Plan, now: dt.datetime) -> None:
    with pytest.raises(operations.UnfitError) as refusal:
        operations.arm_plan(owner_id=draft.owner_id, number=1, now=now + dt.timedelta(days=7))
    assert list(refusal.value.problems) == ["expires_at"]
    assert queries.get_plan(owner_id=draft.owner_id, number=1).armed_at is None


def test_drafts_can_be_changed_and_armed_plans_not(draft: Plan, terms: Terms, now: dt.datetime) -> None:
    changed = replace(terms, targets=[["62000", "1"]])
    operations.update_draft(owner_id=draft.owner_id, number=1, terms=changed, now=now)
    assert queries.get_plan(owner_id=draft.owner_id, number=1).targets == [["62000", "1"]]
    operations.arm_plan(owner_id=draft.owner_id, number=1, now=now)
    with pytest.raises(operations.ArmedError):
        operations.update_draft(owner_id=draft.owner_id, number=1, terms=terms, now=now)


def test_operations_do_not_find_anothers_plan(draft: Plan, terms: Terms, now: dt.datetime) -> None:
    outsider = make_user(email="outsider@example.com")
    with pytest.raises(Plan.DoesNotExist):
        operations.arm_plan(owner_id=outsider.pk, number=1, now=now)
    with pytest.raises(Plan.DoesNotExist):
        operations.update_draft(owner_id=outsider.pk, number=1, terms=terms, now=now)
    with pytest.raises(Plan.DoesNotExist):
        queries.get_plan(owner_id=outsider.pk, number=1)
    assert queries.list_plans(owner_id=outsider.pk) == []


STATEMENTS = [
    "UPDATE journal_plan SET thesis = 'better' WHERE number = 1",
    "UPDATE journal_plan SET entry = entry WHERE number = 1",
    "UPDATE journal_plan SET armed_at = NULL, evidence = NULL, evidence_sha256 = '', thesis = 'better'",
    "UPDATE journal_plan SET owner_id = owner_id",
    "DELETE FROM journal_plan",
    "TRUNCATE journal_plan CASCADE",
    "TRUNCATE access_user CASCADE",
    "SELECT set_config('bh.erasing_owner', '0', true); DELETE FROM journal_plan",
    "INSERT INTO journal_plan AS held SELECT * FROM journal_plan ON CONFLICT (id) DO UPDATE SET thesis = 'better'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_database_refuses_to_change_an_armed_plan(statement: str, armed: Plan) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user = tableowner FROM pg_tables WHERE tablename = 'journal_plan'")
        assert cursor.fetchone() == (True,)  # even the owner of the table is refused
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="armed"), transaction.atomic():
            cursor.execute(statement)
    assert queries.get_plan(owner_id=armed.owner_id, number=1).thesis == armed.thesis


def test_models_can_not_change_an_armed_plan_either(armed: Plan) -> None:
    armed.thesis = "better"
    with pytest.raises(DatabaseError, match="armed"), transaction.atomic():
        armed.save()
    with pytest.raises(DatabaseError, match="can only be added to"), transaction.atomic():  # its entry
        armed.delete()
    with pytest.raises(DatabaseError, match="armed"), transaction.atomic():
        Plan.objects.owned_by(armed.owner_id).update(thesis="better")


def test_database_lets_drafts_change_and_go(draft: Plan) -> None:
    assert Plan.objects.owned_by(draft.owner_id).update(thesis="better") == 1
    assert Plan.objects.owned_by(draft.owner_id).delete()[0] == 1


def test_list_pages_by_number(owner: User, zone: Zone, now: dt.datetime) -> None:
    for number in range(1, 6):
        make_plan(owner=owner, zone=zone, number=number, expires_at=now)
    pages = [queries.list_plans(owner_id=owner.pk, before=before, limit=2) for before in (None, 4, 2, 1)]
    assert [[plan.number for plan in page] for page in pages] == [[5, 4], [3, 2], [1], []]


@pytest.mark.parametrize("value", [1.5, 2**53, {"ü": 1}, [{"a": 0.1}], {"a": object()}, {1: "a"}])
def test_canonical_json_refuses_what_has_two_spellings(value: object) -> None:
    with pytest.raises(queries.InexactError):
        queries.canonical_json(value)  # type: ignore[arg-type]  # on purpose


def test_canonical_json_of_the_standard_example() -> None:
    value: queries.Json = {"b": [None, True, False], "a": '€$\u000f\nA\'B"\\\\"/', "A": 2**53 - 1}
    spelled = '{"A":9007199254740991,"a":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/","b":[null,true,false]}'
    assert queries.canonical_json(value) == spelled.encode()
