"""The two tasks there are: run a job, send mail. A message is a hint that carries at most a job's id."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from celery import Celery, Task, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bhweb import lifeline

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bhweb.settings")

RUN_JOB: Final = "bhweb.run_job"
SEND_MAIL: Final = "bhweb.send_mail"


class Limits(NamedTuple):
    """How long one attempt may take [s]: an exception in the work, then the end of the process."""

    soft: int
    hard: int


LIVE: Final = "live"
BACKFILL: Final = "backfill"
MAIL: Final = "mail"
LIMITS: Final = {LIVE: Limits(60, 90), BACKFILL: Limits(240, 300)}
MAIL_LIMITS: Final = Limits(60, 80)

app = Celery("bhweb")
app.config_from_object("django.conf:settings", namespace="CELERY")


def check_limits(visibility_timeout: float) -> None:
    """Raise ImproperlyConfigured where a message could come back while its job is still at work."""
    if visibility_timeout <= 2 * max(limit.hard for limit in LIMITS.values()):
        raise ImproperlyConfigured("The broker's visibility timeout must exceed twice the longest hard limit.")


check_limits(settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"])


@app.task(name=RUN_JOB)  # type: ignore[untyped-decorator]  # Celery has no stubs
def run_job(job_id: int) -> None:
    """Run a job, if it is still to be run."""
    from bhweb import pipeline  # noqa: PLC0415  # models load only after Django is set up

    pipeline.run(job_id=int(job_id))


@app.task(name=SEND_MAIL)  # type: ignore[untyped-decorator]  # Celery has no stubs
def send_mail() -> None:
    """Send some of the mail that is due."""
    from access import tasks  # noqa: PLC0415  # models load only after Django is set up

    tasks.send_mail()


def send(*, job_id: int, queue: str) -> None:
    """Put a message on a queue; raises OSError or kombu's OperationalError when the broker is away."""
    _put(run_job, (job_id,), queue, LIMITS[queue])


def hint_at_mail() -> None:
    """Say that there is mail to be sent; raises as `send` does."""
    _put(send_mail, (), MAIL, MAIL_LIMITS)


def _put(task: Task, args: tuple[int, ...], queue: str, limits: Limits) -> None:
    task.apply_async(
        args=args,
        queue=queue,
        soft_time_limit=limits.soft,
        time_limit=limits.hard,
        retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1},
    )


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no stubs
def _before_the_fork(**_: object) -> None:
    app.main_process = os.getpid()


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery has no stubs
def _after_the_fork(**_: object) -> None:
    lifeline.die_with(app.main_process)
