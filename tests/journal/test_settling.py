"""Armed plans are judged on stored bars: at once or minute by minute, each event kept for good."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from access.operations import erase_account
from access.owning import OwnerScopeError
from journal import operations, queries
from journal.models import Judgement, Plan, PlanEvent
from market import operations as market
from market import series as s
from tests.factories import make_plan

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
D = Decimal
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def now() -> dt.datetime:
    """The database's clock says when a plan is armed, so this one may not be made up."""
    return dt.datetime.now(dt.UTC)


def add(zone: Zone, first: dt.datetime, rows: list[tuple[float, float, float, float]]) -> None:
    bars = np.zeros(len(rows), s.BAR)
    for i, prices in enumerate(rows):
        bars[i] = (s.epoch_ms(first + i * MINUTE), *prices, 1.0, prices[0], 0.5)
    later = first + dt.timedelta(hours=1)
    market.store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=60, now=later)


def arm(owner: User, zone: Zone, now: dt.datetime, **changes: object) -> Plan:
    plan = make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=10))
    for name, value in changes.items():
        setattr(plan, name, value)
    plan.save()
    armed = operations.arm_plan(owner_id=owner.pk, number=plan.number, now=now)
    assert armed.armed_at is not None
    return armed


def first_minute(plan: Plan) -> dt.datetime:
    assert plan.armed_at is not None
    return plan.armed_at.replace(second=0, microsecond=0) + MINUTE


CHANGES = {
    "UPDATE journal_planevent SET result = 9": "can only be added to",
    "DELETE FROM journal_planevent": "can only be added to",
    "TRUNCATE journal_planevent": "can not be truncated",
}
PATH = [
    (60_000.0, 60_100.0, 59_900.0, 59_950.0),
    (59_950.0, 59_960.0, 59_150.0, 59_300.0),
    (59_300.0, 61_100.0, 59_250.0, 61_050.0),
    (61_050.0, 61_060.0, 61_000.0, 61_010.0),
]


def settle(zone: Zone, now: dt.datetime) -> int:
    return operations.settle(instrument_id=zone.heatmap.instrument_id, now=now)


def told(owner: User, plan: Plan) -> list[tuple[str, D | None]]:
    return [(event.kind, event.price) for event in queries.list_events(owner_id=owner.pk, plan_id=plan.pk)]


def test_armed_plan_is_judged_to_its_end(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH)
    assert settle(zone, start + 10 * MINUTE) == 1
    assert told(owner, plan) == [
        ("touched", D(59_200)), ("triggered", D(59_200)), ("target", D(61_000)), ("judged", None),
    ]  # fmt: skip
    judgement = queries.judgements_of(owner_id=owner.pk, plan_ids=[plan.pk])[plan.pk]
    costs = D("0.0002") * 59_200
    stopped = 58_600 * (1 - D("0.0002"))
    unit = 59_200 - stopped + costs + D("0.0005") * stopped
    expected = (1_800 - costs - D("0.0002") * 61_000) / unit
    assert (judgement.phase, judgement.is_done, judgement.result_low) == ("closed", True, round(expected, 8))
    assert judgement.result_high == judgement.result_low
    # Filled at 59,200 on the way down to 59,150; the low of the next bar may have come after the target.
    reached = [round(float((59_200 - low) / unit), 6) for low in (59_150, 59_150)]
    assert judgement.excursion == {"adverse": reached, "favourable": [round(float(1_800 / unit), 6)] * 2}
    assert settle(zone, start + 20 * MINUTE) == 0


def test_minute_by_minute_is_the_same_as_catching_up(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    for i in range(len(PATH)):
        add(zone, start + i * MINUTE, PATH[i : i + 1])
        settle(zone, start + (i + 1) * MINUTE)
    alone = told(owner, plan)
    kept = queries.judgements_of(owner_id=owner.pk, plan_ids=[plan.pk])[plan.pk]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL bh.erasing_owner = %s", [str(owner.pk)])
        PlanEvent.objects.owned_by(owner.pk).delete()
        cursor.execute("SET LOCAL bh.erasing_owner = ''")
    Judgement.objects.owned_by(owner.pk).delete()
    from journal.operations.judging import begin_judgement  # noqa: PLC0415  # the judge's own beginning, once more

    begin_judgement(Plan.objects.owned_by(owner.pk).get())
    settle(zone, start + 30 * MINUTE)
    again = queries.judgements_of(owner_id=owner.pk, plan_ids=[plan.pk])[plan.pk]
    assert told(owner, plan) == alone
    assert (again.state["branches"], again.through_at, again.result_low) == (
        kept.state["branches"], kept.through_at, kept.result_low,
    )  # fmt: skip


def test_quiet_minutes_move_the_pointer_alone(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH[:1])
    settle(zone, start + MINUTE)
    assert told(owner, plan) == []
    assert queries.judgements_of(owner_id=owner.pk, plan_ids=[plan.pk])[plan.pk].through_at == start + MINUTE


def test_missing_minute_is_waited_for(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH[:1])
    add(zone, start + 2 * MINUTE, PATH[2:])
    settle(zone, start + 5 * MINUTE)
    assert told(owner, plan) == []
    add(zone, start + MINUTE, PATH[1:2])
    settle(zone, start + 6 * MINUTE)
    assert [kind for kind, _ in told(owner, plan)] == ["touched", "triggered", "target", "judged"]


def test_events_are_only_added_to(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    add(zone, first_minute(plan), PATH)
    settle(zone, first_minute(plan) + 10 * MINUTE)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for sql, refusal in CHANGES.items():
            with pytest.raises(DatabaseError, match=refusal), transaction.atomic():
                cursor.execute(sql)
    erase_account(user_id=owner.pk)
    assert PlanEvent.objects.owned_by(owner.pk).count() == 0


def test_judgements_are_private() -> None:
    for door in (Judgement.objects, PlanEvent.objects):
        with pytest.raises(OwnerScopeError):
            door.all()


def test_settling_is_due_only_while_a_plan_waits(owner: User, zone: Zone, now: dt.datetime) -> None:
    key = zone.heatmap.instrument_id
    assert not queries.settling_due(instrument_ids=[key], now=now)
    plan = arm(owner, zone, now)
    assert queries.settling_due(instrument_ids=[key], now=now)
    add(zone, first_minute(plan), PATH)
    settle(zone, first_minute(plan) + 10 * MINUTE)
    assert not queries.settling_due(instrument_ids=[key], now=now)


def test_page_tells_what_the_path_made_of_a_plan(owner: User, zone: Zone, now: dt.datetime, client: Client) -> None:
    plan = arm(owner, zone, now)
    waiting = client.get(f"/plans/{plan.number}/").content.decode()
    assert "On the price path: waiting" in waiting
    assert "No bar has closed since the plan was armed." in waiting
    add(zone, first_minute(plan), PATH)
    settle(zone, first_minute(plan) + 10 * MINUTE)
    page = client.get(f"/plans/{plan.number}/").content.decode()
    assert "On the price path: closed, +2.72 R" in page
    assert "Target reached" in page
    listed = client.get("/plans/").content.decode()
    assert '<span class="badge">closed</span>' in listed
    assert '<td class="n" data-l="Result">+2.72 R</td>' in listed


def test_catching_up_goes_on_where_a_part_ends_inside_a_bar(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)
    start, days = first_minute(plan), 15
    first = s.epoch_ms(start) // s.STEP_MS * s.STEP_MS
    bars = np.zeros(days * 288, s.BAR)
    bars["open_time"] = first + s.STEP_MS * np.arange(len(bars))
    for name in ("open", "high", "low", "close", "quote_volume"):
        bars[name] = 60_000.0
    bars["volume"] = 1.0
    end = start + dt.timedelta(days=days + 1)
    market.store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=300, now=end)
    settle(zone, end)
    assert [kind for kind, _ in told(owner, plan)] == ["expired", "judged"]
