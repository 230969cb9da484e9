"""The worker's side of the outbox: outages, refusals, several workers, killed ones."""

from __future__ import annotations

import datetime as dt
import os
import signal
import smtplib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from access.mail import outbox as outbox_rows
from access.mail import post
from access.mail.sending import send_due
from access.mails import TRIAL
from access.models import LocalMail, Mail
from tests.access.letters import TO, put

if TYPE_CHECKING:
    from pytest_django import Settings

    from access.mail import Notice


class Broken(EmailBackend):
    """A transport that fails as it is told to."""

    error: Exception = OSError("gone")

    def send_messages(self, messages: object) -> int:
        raise self.error


@pytest.fixture
def broken(settings: Settings) -> type[Broken]:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    return Broken


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_mail SET due_at = clock_timestamp(), lease_until = clock_timestamp()")


@pytest.mark.django_db
def test_an_outage_costs_no_attempt_and_all_wait(broken: type[Broken], settings: Settings) -> None:
    broken.error = OSError("gone")
    for _ in range(3):
        put()
    assert send_due() == 1
    assert send_due() == 0
    assert set(Mail.objects.values_list("state", "attempt")) == {("queued", 0)}
    local_again = "access.mail.local.LocalBackend"
    settings.EMAIL_BACKEND = local_again
    make_due()
    assert send_due() == 3


@pytest.mark.django_db
def test_a_mail_that_is_refused_again_and_again_is_given_up(broken: type[Broken]) -> None:
    broken.error = smtplib.SMTPDataError(451, b"reader@example.com is not here")
    put()
    waits = []
    for _ in range(outbox_rows.ATTEMPTS):
        assert send_due() == 1
        row = Mail.objects.get()
        waits.append(round((row.due_at - row.created_at).total_seconds() / 30))
        make_due()
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128]
    send_due()
    assert (Mail.objects.get().state, send_due()) == ("dead", 0)
    assert "reader" not in Mail.objects.get().error


@pytest.mark.django_db
def test_a_refused_recipient_is_not_tried_again(broken: type[Broken]) -> None:
    broken.error = smtplib.SMTPRecipientsRefused({TO: (550, b"no such user")})
    put()
    send_due()
    assert Mail.objects.get().state == "dead"


@pytest.mark.django_db
def test_account_mail_goes_before_letters(letter: Notice) -> None:
    for number in range(3):
        post(letter, to=f"reader{number}@example.com", context={"name": "a", "link": "/"}, batch="wave:1")
    put()
    assert send_due(most=2) == 2
    assert list(Mail.objects.filter(state="sent").order_by("pk").values_list("notice", flat=True)) == [
        "tests/letter",
        "access/trial",
    ]


@pytest.mark.django_db
def test_hints_are_given_once_in_a_while() -> None:
    put()
    assert (outbox_rows.hint(), outbox_rows.hint()) == (1, 0)
    put(due_at=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    assert outbox_rows.hint() == 0


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_mail_once() -> None:
    for number in range(60):
        post(TRIAL, to=f"reader{number}@example.com", context={})

    def work(_: int) -> int:
        try:
            return send_due(most=100)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 60
    assert LocalMail.objects.count() == 60
    assert set(Mail.objects.values_list("state", "attempt")) == {("sent", 1)}


KILLED = """
import django, os, signal
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
from access.mail import sending
from access.mail.local import LocalBackend
sent = LocalBackend.send_messages
def die(self, messages):
    sent(self, messages)
    os.kill(os.getpid(), signal.SIGKILL)
LocalBackend.send_messages = die
sending.send_due()
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_sending_leads_to_one_more_under_the_same_id() -> None:
    put()
    script = KILLED.format(name=connection.settings_dict["NAME"])
    child = subprocess.run([sys.executable, "-c", script], check=False, env=environment())
    assert child.returncode == -signal.SIGKILL
    row = Mail.objects.get()
    assert (row.state, LocalMail.objects.get().message_id) == ("sending", row.message_id)
    assert send_due() == 0  # its lease holds
    make_due()
    assert send_due() == 1
    assert (Mail.objects.get().state, Mail.objects.get().attempt, LocalMail.objects.count()) == ("sent", 2, 1)


def environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "bhweb.settings"}
