"""E-mails about alerts: one digest, never in the quiet hours, each notice once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from access.mail.rendering import render
from access.models import Mail
from access.models import Preferences as People
from alerts.mails import DIGEST
from alerts.models import Notice
from alerts.operations import Wish, add_rule, keep_preferences, look_and_write, send_digests
from alerts.operations.mailing import SHOWN, digest_of
from alerts.terms import is_quiet
from tests.factories import make_zone

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone
    from market.models import Instrument

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def note(owner: User, instrument: Instrument, at: dt.datetime, *, number: int = 0, by_mail: bool = True) -> None:
    row = Notice(
        owner=owner, instrument=instrument, kind="near", subject=f"{number}", at=at, text=f"Fact {number}.",
        by_mail=by_mail,
    )  # fmt: skip
    Notice.objects.append([row])


def mails() -> list[tuple[str, int]]:
    return [(mail.address, mail.context["count"]) for mail in Mail.objects.order_by("pk")]


def test_one_e_mail_tells_all_that_waits(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    for number in range(3):
        note(owner, instrument, now, number=number)
    note(owner, instrument, now, number=9, by_mail=False)
    assert [send_digests(now=now) for _ in range(2)] == [1, 0]
    assert mails() == [(owner.email, 3)]


def test_there_is_at_most_one_e_mail_in_so_many_minutes(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    sent = []
    for minutes in range(0, 130, 10):
        at = now + minutes * MINUTE
        note(owner, instrument, at)
        sent.append(send_digests(now=at))
    assert sent == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    assert [count for _, count in mails()] == [1, 6, 6]


def test_quiet_hours_are_kept_by_the_clocks_of_the_member(owner: User, instrument: Instrument) -> None:
    People.objects.create(user=owner, time_zone="Europe/Berlin")
    keep_preferences(
        owner_id=owner.pk,
        quiet_from=dt.time(22),
        quiet_until=dt.time(7),
        digest_minutes=5,
    )
    evening = dt.datetime(2026, 1, 15, 20, 59, tzinfo=dt.UTC)
    note(owner, instrument, evening)
    assert [send_digests(now=evening + minutes * MINUTE) for minutes in (1, 300, 540)] == [0, 0, 0]
    assert send_digests(now=evening + 541 * MINUTE) == 1
    assert mails() == [(owner.email, 1)]


def test_who_is_locked_out_is_not_written_to(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    note(owner, instrument, now)
    type(owner).objects.update(is_active=False)
    assert send_digests(now=now) == 0


@pytest.mark.parametrize(
    ("hour", "start", "end", "expected"),
    [(23, 22, 7, True), (6, 22, 7, True), (7, 22, 7, False), (12, 22, 7, False), (12, 9, 17, True), (17, 9, 17, False)],
)
def test_quiet_hours_may_run_over_midnight(hour: int, start: int, end: int, expected: bool) -> None:
    local = dt.datetime(2026, 7, 1, hour, tzinfo=BERLIN)
    assert is_quiet(now=local.astimezone(dt.UTC), zone=BERLIN, start=dt.time(start), end=dt.time(end)) is expected
    assert not is_quiet(now=local, zone=BERLIN, start=None, end=None)


def test_the_clocks_change_and_the_hours_with_them() -> None:
    hours = {"zone": BERLIN, "start": dt.time(22), "end": dt.time(7)}
    winter, summer = (dt.datetime(2026, 3, day, 5, 30, tzinfo=dt.UTC) for day in (28, 29))
    assert [is_quiet(now=moment, **hours) for moment in (winter, summer)] == [True, False]  # type: ignore[arg-type]


def test_the_e_mail_says_facts_and_the_way_to_the_page(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    for number in range(SHOWN + 2):
        note(owner, instrument, now, number=number)
    found = list(Notice.objects.owned_by(owner.pk).order_by("pk"))
    said = render(DIGEST, context=digest_of(found, BERLIN))
    assert said.subject == "22 alerts from BH Terminal"
    assert "15 Jan 13:00 UTC+1 Fact 21." in " ".join(said.text.split())
    assert "Fact 1." not in said.text
    assert "2 earlier ones stand on the page" in said.text
    assert "Estimates, not exchange data" in said.text
    assert "/alerts/" in said.text


def test_a_flood_of_zones_is_one_e_mail(owner: User, instrument: Instrument, zone: Zone, now: dt.datetime) -> None:
    for number in range(2, 12):
        make_zone(heatmap=zone.heatmap, born_at=now, number=number)
    add_rule(owner_id=owner.pk, wish=Wish(instrument.pk, "near", Decimal(5), ""), by_mail=True)
    look_and_write(instrument_id=instrument.pk, now=now)
    look_and_write(instrument_id=instrument.pk, now=now)
    assert mails() == [(owner.email, 11)]
