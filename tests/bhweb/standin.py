"""A Django command with stand-in stages: each notes its run in the database and can be held or made to fail.

A file ``hold`` in the directory STANDIN_GATE keeps a stage at work; it says so by a file ``entered``.
With STANDIN_MOST the stage takes so many instruments at once.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from pathlib import Path

import django
from django.core.management import execute_from_command_line
from django.db import connection
from django.utils import timezone

MOST = int(os.environ.get("STANDIN_MOST", "1"))


def note(*, instrument_id: int, now: dt.datetime) -> None:
    """Do the work of a stage: leave one row."""
    _leave(instrument_id, now)
    _pass_the_gate()


def note_all(*, instrument_ids: list[int], now: dt.datetime) -> None:
    """Do the work of a stage for many: leave one row each; the gate stands before the last."""
    *others, last = instrument_ids
    for instrument_id in others:
        _leave(instrument_id, now)
    _pass_the_gate()
    _leave(last, now)


def _leave(instrument_id: int, now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO standin_effect VALUES (%s, %s)", (instrument_id, now))


def _pass_the_gate() -> None:
    gate = Path(os.environ["STANDIN_GATE"])
    (gate / "entered").write_text(str(os.getpid()))
    while (gate / "hold").exists():
        time.sleep(0.01)


def main() -> None:
    """Run a command with one stage."""
    django.setup()
    from bhweb import jobs, pipeline  # noqa: PLC0415  # Django must be set up

    work = "tests.bhweb.standin.note" if MOST == 1 else "tests.bhweb.standin.note_all"
    stages = (pipeline.Stage("note", work, reached=lambda pks: dict.fromkeys(pks, timezone.now()), most=MOST),)
    for module, name, value in (
        (pipeline, "STAGES", stages),
        (jobs, "RESEND_S", 1),
        (jobs, "RETRY_S", 0),
        (pipeline, "TICK", dt.timedelta(seconds=0.3)),
    ):
        setattr(module, name, value)
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
