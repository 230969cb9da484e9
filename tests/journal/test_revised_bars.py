"""Bars that are corrected are judged again; what was said stays, and a reviewed verdict is never replaced."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from journal import operations, queries
from journal.models import Judgement, PlanEvent
from journal.verdict import ENGINE_VERSION
from tests.journal.test_settling import MINUTE, PATH, add, arm, first_minute, settle, told

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
# The minute of the target did not get there, and fell to the stop.
CORRECTED = [(59_300.0, 59_400.0, 58_500.0, 58_550.0)]


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def judged(owner: User, plan_id: int) -> Judgement:
    return queries.judgements_of(owner_id=owner.pk, plan_ids=[plan_id])[plan_id]


def test_corrected_bars_are_judged_again_with_a_difference(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    before = told(owner, plan)
    add(zone, start + 2 * MINUTE, CORRECTED)
    assert queries.settling_due(instrument_ids=[zone.heatmap.instrument_id], now=now)
    assert settle(zone, start + 11 * MINUTE) == 1
    after = told(owner, plan)
    assert after[: len(before)] == before
    assert [kind for kind, _ in after[len(before) :]] == ["revised", "touched", "triggered", "stopped", "judged"]
    revision = queries.list_events(owner_id=owner.pk, plan_id=plan.pk)[len(before)]
    assert revision.note == "closed +2.72 R → closed -1.00 R"
    assert judged(owner, plan.pk).result_low == Decimal(-1)
    assert {event.engine for event in queries.list_events(owner_id=owner.pk, plan_id=plan.pk)} == {ENGINE_VERSION}
    assert not queries.settling_due(instrument_ids=[zone.heatmap.instrument_id], now=now)
    assert settle(zone, start + 12 * MINUTE) == 0


def test_events_name_the_engine_that_says_so(owner: User, zone: Zone, now: dt.datetime) -> None:
    """A plan that was armed under an older engine is judged by the one that runs; a reviewed verdict keeps its own."""
    plan = arm(owner, zone, now)
    Judgement.objects.owned_by(owner.pk).update(engine="1")
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    assert judged(owner, plan.pk).engine == ENGINE_VERSION
    assert {event.engine for event in queries.list_events(owner_id=owner.pk, plan_id=plan.pk)} == {ENGINE_VERSION}
    Judgement.objects.owned_by(owner.pk).update(engine="2", reviewed_at=now)
    add(zone, start + 2 * MINUTE, CORRECTED)
    settle(zone, start + 11 * MINUTE)
    assert judged(owner, plan.pk).engine == "2"
    assert queries.list_events(owner_id=owner.pk, plan_id=plan.pk)[-1].engine == ENGINE_VERSION


def test_reviewed_verdict_stays_with_the_difference_beside_it(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    Judgement.objects.owned_by(owner.pk).update(reviewed_at=now)
    before = judged(owner, plan.pk).result_low
    add(zone, start + 2 * MINUTE, CORRECTED)
    settle(zone, start + 11 * MINUTE)
    assert told(owner, plan)[-1] == ("revised", None)
    assert judged(owner, plan.pk).result_low == before


def test_correction_that_changes_nothing_says_nothing(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    before = told(owner, plan)
    add(zone, start, [(60_000.0, 60_200.0, 59_900.0, 59_950.0)])
    assert settle(zone, start + 11 * MINUTE) == 0
    assert told(owner, plan) == before


def test_plans_from_before_the_verdict_are_adopted(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    Judgement.objects.owned_by(owner.pk).delete()
    assert not PlanEvent.objects.owned_by(owner.pk).exists()
    assert (operations.adopt_plans(), operations.adopt_plans()) == (1, 0)
    start = first_minute(plan)
    add(zone, start, PATH)
    settle(zone, start + 10 * MINUTE)
    assert judged(owner, plan.pk).phase == "closed"
