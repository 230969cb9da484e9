"""A wave of 5,000 whose workers are killed and whose broker is emptied on the way. Nightly: BH_CAMPAIGNS=1."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from access.mail import address_digest, suppress
from access.models import LocalMail, Mail, Signup
from bhweb import environment
from tests.access.early import START, make_wave
from tests.access.test_early_waves import crowd
from tests.running import database_url

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
SIZE, GONE, KILLS = int(os.environ.get("BH_WAVE", "5000")), 50, 5
WORK = """
from django.utils import timezone
from access import tasks
while True:
    tasks.count_mail_rounds()
    tasks.serve_early_access(now=timezone.now())
    tasks.send_mail()
"""


def worker() -> subprocess.Popen[bytes]:
    env = os.environ | {"DATABASE_URL": database_url(connection.settings_dict)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "manage.py", "shell", "-c", WORK], cwd=ROOT, env=env, **quiet)  # type: ignore[call-overload,no-any-return]  # two streams by name


def let_leases_run_out() -> None:
    """Spare the minute and a half until a dead worker's mail is taken up again."""
    Mail.objects.filter(state="sending").update(lease_until=START)


def is_going_on() -> bool:
    waiting = Signup.objects.exclude(state="invited").exists()
    return waiting or Mail.objects.filter(state__in=("queued", "sending")).exists()


def wait_while(is_so: Callable[[], bool], *, most_s: float = 300) -> None:
    until = time.monotonic() + most_s
    while is_so():
        assert time.monotonic() < until, f"{Mail.objects.exclude(ended_at=None).count()} mails ended"
        time.sleep(0.2)


@pytest.mark.skipif(os.environ.get("BH_CAMPAIGNS") != "1", reason="takes minutes: BH_CAMPAIGNS=1")
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_each_of_thousands_gets_one_invitation_and_who_left_gets_none() -> None:
    crowd(SIZE)
    make_wave(size=SIZE, now=timezone.now())
    gone = {f"news{number}@example.com" for number in range(0, SIZE, SIZE // GONE)}
    for address in gone:
        suppress(digest=address_digest(address), reason="unsubscribed")
    began = time.monotonic()
    for kill in range(1, KILLS + 1):
        one = worker()
        # A worker that was killed before it had loaded would prove nothing.
        wait_while(lambda part=kill * SIZE // (2 * KILLS): Mail.objects.filter(state="sent").count() < part)  # type: ignore[misc]  # the default binds it
        one.kill()
        one.wait()
        redis.Redis.from_url(environment.redis_py(settings.REDIS_URL)).flushall()
        let_leases_run_out()
    last = worker()
    wait_while(is_going_on)
    print(f"{SIZE} invitations in {time.monotonic() - began:.0f} s, {KILLS} kills and as many starts among them")
    last.kill()
    last.wait()
    told = list(LocalMail.objects.values_list("address", flat=True))
    states = {state: Mail.objects.filter(state=state).count() for state in ("sent", "withheld")}
    print(f"{len(told)} mails, {len(set(told))} addresses, {states}")
    assert states == {"sent": SIZE - GONE, "withheld": GONE}
    assert set(told) == {f"news{number}@example.com" for number in range(SIZE)} - gone
    assert len(told) == SIZE - GONE  # a second sending under the same Message-ID is the same mail
