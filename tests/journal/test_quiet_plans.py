"""Plans whose price stays where nothing can happen are moved on together: the same as judging each of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection

from journal import operations
from journal.models import Judgement, PlanEvent
from journal.operations import settling
from market import operations as market
from market import series as s
from tests.factories import make_plan
from tests.journal.test_settling import MINUTE, add, arm, first_minute, settle

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone


_COMPARED = [field.attname for field in Judgement._meta.concrete_fields if field.name != "change_id"]


def _picture() -> tuple[list[Any], list[Any]]:
    judgements = Judgement._base_manager.order_by("pk").values(*_COMPARED)
    events = PlanEvent._base_manager.order_by("plan_id", "number").values(
        "plan_id", "number", "kind", "at", "branch", "price", "result", "note"
    )
    return list(judgements), list(events)


@pytest.mark.django_db
def test_many_at_once_are_judged_as_each_alone(owner: User, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    now = dt.datetime.now(dt.UTC)
    for i in range(6):
        plan = make_plan(owner=owner, zone=zone, number=i + 1, expires_at=now + dt.timedelta(days=10))
        plan.entry, plan.invalidation = Decimal(59_200 + 150 * i), Decimal(58_000 + 200 * i)
        plan.save()
        armed = operations.arm_plan(owner_id=owner.pk, number=plan.number, now=now)
    begin = first_minute(armed)
    # Down to 58,500, where three are stopped, and up to 61,500.
    closes = (60_000 - 1_500 * np.sin(np.arange(1, 46) / 9)).round(1)
    opens = [60_000.0, *closes[:-1].tolist()]
    rows = [(a, max(a, b) + 20, min(a, b) - 20, b) for a, b in zip(opens, closes.tolist(), strict=True)]
    passed: list[int] = []
    together = settling.pass_over

    def count(*, instrument_id: int, now: dt.datetime) -> dt.datetime | None:
        before = dict(Judgement._base_manager.values_list("pk", "through_at"))
        reached = together(instrument_id=instrument_id, now=now)
        after = dict(Judgement._base_manager.values_list("pk", "through_at"))
        passed.append(sum(before[key] != after[key] for key in before))
        return reached

    pictures: list[tuple[list[Any], list[Any]]] = []
    for way in (count, lambda **_: None):
        monkeypatch.setattr(settling, "pass_over", way)
        Judgement._base_manager.all().delete()
        operations.adopt_plans()
        for i, row in enumerate(rows):
            if not pictures:
                add(zone, begin + i * MINUTE, [row])
            settle(zone, begin + (i + 1) * MINUTE)
        pictures.append(_picture())
        with_events = len(pictures[-1][1])
        _forget_events(owner)
    assert pictures[0] == pictures[1]
    assert with_events > 12
    assert sum(passed) > 20


def _forget_events(owner: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL bh.erasing_owner = %s", [str(owner.pk)])
        PlanEvent.objects.owned_by(owner.pk).delete()
        cursor.execute("SET LOCAL bh.erasing_owner = ''")


@pytest.mark.django_db
def test_funding_and_holes_are_looked_at_plan_by_plan(owner: User, zone: Zone) -> None:
    now = dt.datetime.now(dt.UTC)
    begin, instrument_id = first_minute(arm(owner, zone, now)), zone.heatmap.instrument_id
    row = (60_000.0, 60_010.0, 59_990.0, 60_000.0)
    add(zone, begin, [row])
    settle(zone, begin + MINUTE)
    add(zone, begin + MINUTE, [row])
    assert settling.pass_over(instrument_id=instrument_id, now=begin + 2 * MINUTE) == begin + 2 * MINUTE
    assert settling.pass_over(instrument_id=instrument_id, now=begin + 2 * MINUTE) is None
    assert settling.pass_over(instrument_id=instrument_id, now=begin + 3 * MINUTE) == begin + 2 * MINUTE
    add(zone, begin + 3 * MINUTE, [row])
    assert settling.pass_over(instrument_id=instrument_id, now=begin + 4 * MINUTE) is None
    add(zone, begin + 2 * MINUTE, [row])
    paid = np.zeros(1, s.FUNDING)
    paid[0] = (s.epoch_ms(begin + 3 * MINUTE), 0.0001, 28_800.0)
    market.store(instrument_id=instrument_id, series="funding", rows=paid, now=begin + 5 * MINUTE)
    assert settling.pass_over(instrument_id=instrument_id, now=begin + 4 * MINUTE) is None
