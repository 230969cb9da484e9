"""The course of results: running sums, rows of losses beside chance, what may follow, and months."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.urls import reverse

from journal import queries, statistics
from journal.pages.course import share_text
from risk.formulas import chance_of_streak
from tests.journal.terms import text
from tests.journal.test_results import closed

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


def test_a_row_of_losses_stands_beside_other_orders() -> None:
    found = statistics.streaks([-1.0] * 8 + [1.0] * 12)
    assert found is not None
    assert (found.longest, found.low, found.high) == (8, 2, 5)  # 1 at most: C(13, 8) of C(20, 8) orders, 1 %
    assert found.chance < 0.001
    assert statistics.streaks([-1.0] * 9) is None
    always = statistics.streaks([1.0] * 12)
    assert always is not None
    assert (always.longest, always.chance) == (0, 1.0)


def test_a_fan_draws_what_is_known_of_sums_and_streaks() -> None:
    """Half of the results are +1, half -1: sums are binomial, and streaks have a closed form in risk."""
    found = statistics.fan([1.0, -1.0] * 20, horizon=100)
    assert found is not None
    ends = [line[-1] for line in found.lines]
    assert ends == pytest.approx([-16, -6, 0, 6, 16], abs=2)
    assert found.lines[0][0] == found.lines[-1][0] == 0
    for length, chance in found.streaks:
        expected = float(chance_of_streak(losing_rate=Decimal("0.5"), length=length, trades=100))
        assert chance == pytest.approx(expected, abs=4 * np.sqrt(0.25 / found.draws))
    assert found.falls == tuple(sorted(found.falls))
    assert found == statistics.fan([1.0, -1.0] * 20, horizon=100)
    assert statistics.fan([1.0, -1.0] * 14) is None


def test_sums_run_between_worst_and_best_courses(owner: User, zone: Zone, client: Client) -> None:
    assert "0 closed plans; from ten on" in text(client.get(reverse("journal:course")))
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0), (-1.0, 1.5)] * 4, "retest")
    few = queries.course(owner_id=owner.pk)
    assert (few.low[-1], few.high[-1]) == pytest.approx((0.0, 10.0))
    assert few.fan is None
    page = text(client.get(reverse("journal:course")))
    assert "12 closed plans are too few to draw more from" in page
    closed(owner, zone, [(2.0, 2.0), (-1.0, -1.0)] * 10, "retest", first=20)
    page = text(client.get(reverse("journal:course")))
    assert "10,000 draws of 100 results from the own 32" in page
    assert "by chance alone, in other orders of the same results" in page


def test_a_month_shows_what_ended_and_nothing_for_other_days(owner: User, zone: Zone, client: Client) -> None:
    closed(owner, zone, [(2.0, 2.0)], "retest")
    today = dt.datetime.now(dt.UTC).date()
    (day,) = queries.ended_by_day(owner_id=owner.pk, since=today, until=today + dt.timedelta(days=1)).values()
    assert (len(day.ended), day.bounds) == (1, (2.0, 2.0))
    page = text(client.get(reverse("journal:calendar")))
    assert "+2.00 R" in page
    assert "0.00 R" not in page.replace("+2.00 R", "")
    assert "No plan ended in this month." in text(client.get(reverse("journal:calendar"), {"month": "2020-02"}))
    for wrong in ("2020-13", "9999-01", "x", "0001-01", "1999-01"):
        assert client.get(reverse("journal:calendar"), {"month": wrong}).status_code == 404


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "more than 99 %"), (0.99, "99 %"), (0.5, "50 %"), (0.01, "1 %"), (0.0, "less than 1 %")]
)
def test_draws_never_say_never(share: float, text: str) -> None:
    assert share_text(share) == text
