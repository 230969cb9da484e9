from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.db import connection

from access.operations import erase_account
from journal import operations, queries
from journal.operations import Terms, terms_of
from tests.factories import make_heatmap, make_plan, make_user, make_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


@pytest.fixture
def owner() -> Iterator[User]:
    user = make_user()
    yield user
    erase_account(user_id=user.pk)  # armed plans refuse the truncation that ends such a test


@pytest.fixture
def zone(now: dt.datetime) -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=now)


def all_at_once(act: Callable[[], object]) -> list[object]:
    barrier = Barrier(AT_ONCE)

    def run() -> object:
        try:
            barrier.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result(30) for future in [pool.submit(run) for _ in range(AT_ONCE)]]


def test_clicks_at_once_arm_a_plan_once(owner: User, zone: Zone, now: dt.datetime) -> None:
    make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=1))

    def arm() -> tuple[object, str]:
        plan = operations.arm_plan(owner_id=owner.pk, number=1, now=now)
        return plan.armed_at, plan.evidence_sha256

    assert len(set(all_at_once(arm))) == 1


def test_clicks_at_once_make_one_draft(owner: User, zone: Zone, now: dt.datetime) -> None:
    terms = terms_at(owner, zone, now)

    def create() -> int:
        plan = operations.create_draft(
            owner_id=owner.pk, zone_id=zone.pk, terms=terms, request_key=UUID(int=7), now=now
        )
        return plan.pk

    assert len(set(all_at_once(create))) == 1
    assert [plan.number for plan in queries.list_plans(owner_id=owner.pk)] == [2, 1]


def test_drafts_at_once_get_numbers_of_their_own(owner: User, zone: Zone, now: dt.datetime) -> None:
    terms = terms_at(owner, zone, now)
    all_at_once(
        lambda: operations.create_draft(owner_id=owner.pk, zone_id=zone.pk, terms=terms, request_key=None, now=now)
    )
    assert [plan.number for plan in queries.list_plans(owner_id=owner.pk)] == [5, 4, 3, 2, 1]


def terms_at(owner: User, zone: Zone, now: dt.datetime) -> Terms:
    return terms_of(make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=1)))
