"""The workers' role does its work, and PostgreSQL shows it nothing else of what is private."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection, transaction

import access.tasks
from access.early import asking, waves
from access.models import LocalMail, Mail
from alerts.operations import send_digests
from alerts.tasks import look, tell_of_plans
from bhweb.walls import WORKER_MAY, grant_worker_role
from journal import operations, queries, tasks
from journal.models import Judgement
from journal.queries.controls import AROUND
from market.operations.storing import make_months
from tests.access.early import START, invited
from tests.alerts.test_mailing import mails, note
from tests.factories import make_plan, make_user
from tests.journal.test_settling import PATH, add, arm, first_minute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.utils import CursorWrapper
    from pytest_django import Settings

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
CANARY = "canary-that-no-worker-reads"
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
SECRETS = (
    "access_apikey", "access_loginlink", "account_emailaddress", "auth_permission", "django_session",
    "mfa_authenticator",
)  # fmt: skip


@contextmanager
def as_worker() -> Iterator[CursorWrapper]:
    """Go on as the role under which the workers connect."""
    grant_worker_role()
    grant_worker_role()  # at each release
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET ROLE bh_worker")
        try:
            yield cursor
        finally:
            cursor.execute("RESET ROLE")


def walled() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'own_rows'")
        return {name for (name,) in cursor.fetchall()}


def refused(cursor: CursorWrapper, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
        cursor.execute(statement)


def test_private_tables_are_closed_but_for_what_is_named() -> None:
    private = walled()
    assert private > {"journal_review", "journal_notekey", "journal_weeknote", "journal_trade", "journal_movedjournal"}
    assert set(WORKER_MAY) <= private
    with as_worker() as cursor:
        for table in sorted((private - set(WORKER_MAY)) | set(SECRETS)):
            for statement in (f"SELECT 1 FROM {table}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                refused(cursor, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT thesis FROM journal_plan",
        "SELECT wrong_if FROM journal_plan",
        "SELECT setups FROM journal_plan",
        "SELECT evidence FROM journal_plan",
        "SELECT * FROM journal_plan",
        "SELECT note FROM journal_journalentry",
        "SELECT content FROM journal_journalentry",
        "UPDATE journal_plan SET number = 9",
        "UPDATE journal_planevent SET result = 9",
        "DELETE FROM journal_judgement",
        "DELETE FROM alerts_notice",
        "INSERT INTO journal_journalentry (owner_id, number, kind) VALUES (1, 1, 'noted')",
        "SELECT password FROM access_user",
        "UPDATE access_user SET is_superuser = true",
        "UPDATE access_user SET email = 'mine@example.com'",
        "DELETE FROM access_user",
        "INSERT INTO access_user (email, password) VALUES ('mine@example.com', 'x')",
        "ALTER TABLE market_bar ADD COLUMN x int",
        "ALTER TABLE journal_plan DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON journal_plan",
        "CREATE TABLE mine (x int)",
    ],
)
def test_no_words_and_no_rights_of_an_owner(statement: str, owner: User, zone: Zone) -> None:
    make_plan(owner=owner, zone=zone, expires_at=NOW, thesis=CANARY)
    with as_worker() as cursor:
        refused(cursor, statement)


def test_it_judges_tells_draws_and_makes_months(owner: User, zone: Zone) -> None:
    other = make_user(email="other@example.com")
    key, now = zone.heatmap.instrument_id, dt.datetime.now(dt.UTC)
    plans = [arm(one, zone, now, thesis=CANARY) for one in (owner, other)]
    add(zone, first_minute(plans[0]), PATH)
    over = now + AROUND + dt.timedelta(hours=1)
    with as_worker():
        later = first_minute(plans[0]) + dt.timedelta(minutes=10)
        assert queries.settling_due(instrument_ids=[key], now=later)
        news = tasks.settle(instrument_id=key, now=later)
        assert {one.owner_id for one in news} == {owner.pk, other.pk}
        tell_of_plans(instrument_id=key, news=news, now=later)
        look(instrument_id=key, now=later)
        assert tasks.settle(instrument_id=key, now=now + dt.timedelta(days=2))  # their reviews are due
        assert queries.control_due(instrument_ids=[key], now=over)
        assert tasks.draw_controls(instrument_id=key, now=over) == 2
        make_months({592, 593})  # which nobody has made
    add(zone, dt.datetime(2019, 5, 31, 23, 59, tzinfo=dt.UTC), PATH[:2])
    phases = [Judgement.objects.owned_by(one.pk).get().phase for one in (owner, other)]
    assert phases == ["closed", "closed"]
    assert operations.draw_controls(instrument_id=key, now=over) == 0


def test_it_writes_to_members(owner: User, zone: Zone) -> None:
    now = dt.datetime.now(dt.UTC)
    note(owner, zone.heatmap.instrument, now)
    with as_worker():
        assert send_digests(now=now) == 1
        assert send_digests(now=now) == 0
    assert mails() == [(owner.email, 1)]


def test_it_answers_strangers_and_members(owner: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "access.mail.local.LocalBackend"
    invited("invited@example.com")
    for address in ("new@example.com", owner.email):
        asking.take_in(address=address, data={}, is_suspect=False, now=START)
    with as_worker():
        assert asking.answer(now=START) == 2
        waves.advance(now=START)
        access.tasks.send_mail()
        access.tasks.prune_mail()
        access.tasks.keep_early_access(now=START)
    assert {"new@example.com", owner.email} <= set(Mail.objects.values_list("address", flat=True))
    assert {mail.state for mail in Mail.objects.all()} == {Mail.State.SENT}
    assert LocalMail.objects.count() == Mail.objects.count()
