"""Which given-up job ends the wait of `up --check`."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from bhweb import readiness
from bhweb.models import Job
from tests.factories import make_instrument
from tests.running import database_url

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


def given_up() -> str | None:
    return readiness.given_up_job(database_url(connection.settings_dict))


def bury(key: str, *, error: str, ago: dt.timedelta = dt.timedelta()) -> None:
    venue, _, symbol = key.partition(":")
    finished_at = dt.datetime.now(dt.UTC) - ago
    Job.objects.create(
        stage="advance",
        instrument=make_instrument(venue=venue, symbol=symbol),
        slot_at=finished_at,
        queue="live",
        state=Job.State.DEAD,
        finished_at=finished_at,
        error=error,
    )


@pytest.fixture(autouse=True)
def began_a_minute_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "elapsed", lambda: 60.0)


@pytest.mark.parametrize(
    ("error", "reason"), [("Traceback\nValueError: no price", "ValueError: no price"), ("", "no reason was left")]
)
def test_check_ends_with_the_reason_of_a_given_up_job(error: str, reason: str) -> None:
    bury(readiness.SHOWN_INSTRUMENT, error=error)
    assert given_up() == f"the job 'advance' was given up: {reason}"


def test_check_outlives_the_dead_of_former_runs_and_of_others() -> None:
    bury(readiness.SHOWN_INSTRUMENT, error="old", ago=2 * MINUTE)
    bury("binance:BTCUSDT", error="another's")
    assert given_up() is None
