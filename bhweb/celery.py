"""The one task there is: run a job. A message is a hint that carries the job's id and nothing else."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from celery import Celery, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bhweb import lifeline

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bhweb.settings")

RUN_JOB: Final = "bhweb.run_job"


class Limits(NamedTuple):
    """How long one attempt may take [s]: an exception in the work, then the end of the process."""

    soft: int
    hard: int


LIVE: Final = "live"
BACKFILL: Final = "backfill"
LIMITS: Final = {LIVE: Limits(60, 90), BACKFILL: Limits(240, 300)}

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


def send(*, job_id: int, queue: str) -> None:
    """Put a message on a queue; raises OSError or kombu's OperationalError when the broker is away."""
    run_job.apply_async(
        args=(job_id,),
        queue=queue,
        soft_time_limit=LIMITS[queue].soft,
        time_limit=LIMITS[queue].hard,
        retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1},
    )


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no stubs
def _before_the_fork(**_: object) -> None:
    app.main_process = os.getpid()


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery has no stubs
def _after_the_fork(**_: object) -> None:
    lifeline.die_with(app.main_process)
