"""Owners are told once of what became of their plans, in the page and, where they asked for it, by e-mail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from access.models import Mail, Preferences
from alerts import queries as alerts
from alerts.operations import keep_preferences
from bhweb.telling import settle
from journal import operations
from journal.models import Judgement
from journal.operations import Said
from journal.queries import settling_due
from tests.factories import make_user
from tests.journal.terms import text
from tests.journal.test_settling import MINUTE, PATH, add, arm, first_minute

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone
    from journal.models import Plan

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def told(owner: User) -> list[str]:
    return [str(one).partition(": ")[2] for one in reversed(alerts.list_notices(owner_id=owner.pk))]


def judge(zone: Zone, at: dt.datetime) -> None:
    for _ in range(2):  # an errand may be repeated
        settle(instrument_id=zone.heatmap.instrument_id, now=at)


def closed(owner: User, zone: Zone, now: dt.datetime) -> tuple[Plan, dt.datetime]:
    plan = arm(owner, zone, now)
    start = first_minute(plan)
    add(zone, start, PATH)
    judge(zone, start + 2 * MINUTE)
    judge(zone, start + 10 * MINUTE)
    return plan, start


def test_entry_end_and_review_are_told_once(owner: User, zone: Zone, client: Client, now: dt.datetime) -> None:
    plan, start = closed(owner, zone, now)
    result = Judgement.objects.owned_by(owner.pk).get().result_low
    said = [f"entered at {59_200:,}.0 on the price path.", f"closed on the price path, {result:+.2f} R."]
    assert told(owner) == said
    judge(zone, start + DAY)
    assert told(owner) == said
    later = start + DAY + 10 * MINUTE
    assert settling_due(instrument_ids=[zone.heatmap.instrument_id], now=later)
    judge(zone, later)
    assert told(owner)[2:] == [f"ended {start + 3 * MINUTE:%d %b %H:%M} UTC, its review is not written yet."]
    assert not settling_due(instrument_ids=[zone.heatmap.instrument_id], now=later)
    assert Mail.objects.count() == 0
    page = client.get(reverse("alerts:alerts")).content.decode()
    assert f'href="{reverse("journal:plan", args=[plan.number])}"' in page
    assert f'href="{reverse("journal:plan-review", args=[plan.number])}">Review of P-{plan.number}</a>' in page
    assert alerts.list_notices(owner_id=make_user(email="other@example.com").pk) == []


def test_a_review_that_is_written_is_not_due(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan, start = closed(owner, zone, now)
    said = Said(what_happened="x", lesson="y")
    operations.review_plan(owner_id=owner.pk, number=plan.number, said=said, now=now)
    judge(zone, start + 2 * DAY)
    assert len(told(owner)) == 2


def test_an_expiry_is_told_in_the_last_day_of_a_plan(owner: User, zone: Zone, now: dt.datetime) -> None:
    plan = arm(owner, zone, now)  # for ten days
    judge(zone, plan.expires_at - DAY - MINUTE)
    assert told(owner) == []
    judge(zone, plan.expires_at - DAY + MINUTE)
    assert told(owner) == [f"not entered so far, expires {plan.expires_at:%d %b %H:%M} UTC."]


def test_a_moment_is_told_by_the_clock_of_who_reads(owner: User, zone: Zone, client: Client, now: dt.datetime) -> None:
    said = {"quiet_from": "", "quiet_until": "", "digest_minutes": "60", "plans_by_mail": "on"}
    assert client.post(reverse("alerts:preferences"), said).status_code == 302
    Preferences.objects.update_or_create(user=owner, defaults={"time_zone": "Asia/Kolkata"})
    plan = arm(owner, zone, now)
    judge(zone, plan.expires_at - DAY + MINUTE)
    there = plan.expires_at.astimezone(ZoneInfo("Asia/Kolkata"))
    sentence = f"not entered so far, expires {there:%d %b %H:%M} UTC+5:30."
    assert sentence in text(client.get(reverse("alerts:alerts")))
    assert sentence in Mail.objects.get().context["lines"][0]
    (told_api,) = client.get("/api/v1/alerts/notices/").json()["results"]
    assert told_api["text"].endswith(f"expires {plan.expires_at:%d %b %H:%M} UTC.")


def test_mail_comes_to_those_who_asked_outside_their_quiet_hours(
    owner: User, zone: Zone, client: Client, now: dt.datetime
) -> None:
    begin, end = (now - dt.timedelta(hours=1)).time(), (now + dt.timedelta(hours=2)).time()
    said = {"quiet_from": f"{begin:%H:%M}", "quiet_until": f"{end:%H:%M}", "digest_minutes": "60"}
    assert client.post(reverse("alerts:preferences"), said | {"plans_by_mail": "on"}).status_code == 302
    closed(owner, zone, now)
    assert (len(told(owner)), Mail.objects.count()) == (2, 0)
    keep_preferences(owner_id=owner.pk, quiet_from=None, quiet_until=None, digest_minutes=60, plans_by_mail=True)
    assert alerts.watch_due(instrument_ids=[zone.heatmap.instrument_id], now=now)
    judge(zone, now + 2 * DAY)
    mail = Mail.objects.get()
    assert (mail.address, mail.context["count"]) == (owner.email, 3)


def test_pages_offer_the_choice(client: Client) -> None:
    assert "Write when a plan is entered, near expiry or ended" in text(client.get(reverse("alerts:alerts")))
