"""Units of work. PostgreSQL is the truth about them, the broker only a hint."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Job(models.Model):
    """One stage of one instrument for one slot; it exists once, however often it is asked for."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        # A newer slot of the same stage does everything that this one would have done.
        SKIPPED = "skipped", "Skipped"
        DEAD = "dead", "Dead"

    stage = models.CharField(max_length=16)
    instrument = models.ForeignKey("market.Instrument", on_delete=models.CASCADE, related_name="+")
    slot_at = models.DateTimeField(help_text="the minute this job brings the instrument up to")
    queue = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempt = models.IntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now(), help_text="a failed job is not tried again before")
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stage", "instrument", "slot_at"], name="job_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "lease_until"], name="job_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.instrument} at {self.slot_at:%Y-%m-%d %H:%M}"
