"""What own plans add up to: counts first, figures behind their gates, groups judged together."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.urls import reverse

from journal import queries
from journal.models import Judgement, Plan, PlanEvent
from journal.pages.paths import describe_paths
from journal.statistics import Gate
from tests.factories import make_plan
from tests.journal.terms import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def closed(owner: User, zone: Zone, row: Sequence[tuple[float, float]], setup: str, *, first: int = 1) -> None:
    """Plans with results, one a day; triggers stand aside, because arming so many takes a while."""
    now = dt.datetime.now(dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for place, (low, high) in enumerate(row):
            plan = make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=10), number=first + place)
            Plan.objects.owned_by(owner.pk).filter(pk=plan.pk).update(setups=[setup], belief_pct=70 if low > 0 else 40)
            Judgement.objects.owned_by(owner.pk).create(
                plan=plan, instrument=zone.heatmap.instrument, terms={"kind": "limit"}, state={"has_gap": False},
                engine="1", phase="closed", is_done=True, result_low=low, result_high=high,
                through_at=now - dt.timedelta(days=place),
                excursion={"adverse": [0.1, 0.2 + place % 5 / 10] if low > 0 else [0.9, 1.0],
                           "favourable": [max(low, 0.25), max(high, 0.75)]},
            )  # fmt: skip
            if low > 0:
                PlanEvent.objects.append([PlanEvent(plan=plan, number=1, kind="target", at=now, engine="1")])
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_few_plans_are_counted_and_no_more(owner: User, zone: Zone, client: Client, now: dt.datetime) -> None:
    closed(owner, zone, [(1.0, 1.0)] * 9, "retest")
    found = queries.results(owner_id=owner.pk)
    assert (found.whole.count, found.whole.gate, found.whole.mean, found.whole.hits) == (9, Gate.COUNTS, None, None)
    assert (found.shape, found.median, found.factor, found.drawdown, found.belief, found.more) == (None,) * 6
    page = text(client.get(reverse("journal:review")))
    assert "9 closed plans: too few to say more than that." in page
    assert "1.00 R" not in page


def test_the_worst_course_counts_and_doubt_is_said(owner: User, zone: Zone, client: Client, now: dt.datetime) -> None:
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0), (-1.0, 2.0)] * 10, "retest")
    found = queries.results(owner_id=owner.pk)
    assert found.whole.mean is not None
    assert found.whole.mean.value == pytest.approx(0.0)
    assert found.best_mean == pytest.approx(1.0)
    assert found.ambiguous is not None
    assert found.warns
    assert found.ambiguous.value == pytest.approx(1 / 3)
    assert found.shape is not None
    assert (found.shape.count, found.shape.losing_streak) == (30, 2)
    assert found.belief is not None
    assert found.belief.brier < found.belief.base
    page = text(client.get(reverse("journal:review")))
    assert "No evidence yet" in page
    assert "of the closed plans are ambiguous" in page


def test_groups_stand_side_by_side_and_are_judged_together(owner: User, zone: Zone, now: dt.datetime) -> None:
    closed(owner, zone, [(1.0 + place % 3, 1.0 + place % 3) for place in range(30)], "retest")
    closed(owner, zone, [(1.5, 1.5), (-1.0, -1.0)] * 15, "fade", first=31)
    found = queries.results(owner_id=owner.pk)
    ((title, cells),) = found.tables
    assert title == "Setup"
    assert [(cell.name, cell.count, cell.holds) for cell in cells] == [("fade", 30, False), ("retest", 30, True)]
    fade, retest = cells
    assert fade.mean is not None
    assert retest.mean is not None
    assert fade.pulled is not None
    assert retest.pulled is not None
    assert fade.mean.value < fade.pulled < retest.pulled < retest.mean.value


def test_paths_are_read_from_thirty_on(owner: User, zone: Zone, client: Client) -> None:
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0)] * 14, "retest")
    few = queries.results(owner_id=owner.pk).paths
    assert (len(few.measured), few.heat_half, few.heat_most, few.ahead) == (28, None, None, None)
    page = text(client.get(reverse("journal:review")))
    assert "28 measured plans are too few to read a distance of stops off them" in page
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0)], "retest", first=40)
    many = queries.results(owner_id=owner.pk).paths
    assert many.heat_half is not None
    assert many.ahead is not None
    assert many.heat_half.value == pytest.approx(0.4)
    assert (many.ahead.value, many.ahead.count) == (0.0, 15)
    assert "Half of the winners went against you by at most" in text(client.get(reverse("journal:review")))


def test_words_of_the_scatter_stand_outside_of_what_is_drawn(owner: User, zone: Zone, client: Client) -> None:
    """However far to the top and to the left a plan went: the one that went furthest for it is the highest point."""
    closed(owner, zone, [(0.25, 4.0)] * 12, "retest")
    picture = describe_paths(queries.results(owner_id=owner.pk).paths)["picture"]
    assert {float(one["top"]) > picture["head"] for one in picture["points"]} == {True}
    assert f'y="{picture["head"]}" dy="-14">for the plan<' in client.get(reverse("journal:review")).content.decode()


def test_nothing_is_said_of_nobody(client: Client) -> None:
    page = client.get(reverse("journal:review"))
    assert page.status_code == 200
    assert "0 closed plans" in text(page)
