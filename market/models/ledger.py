"""What is stored, what is missing and why, and what was not believed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from .instruments import Instrument


class Coverage(models.Model):
    """From when to when a series is stored without a hole: one row for each unbroken stretch."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=32)
    timeframe = models.IntegerField(help_text="seconds between rows; 0 for events")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "series", "timeframe", "start_at"], name="coverage_stretch_unique"
            ),
            models.CheckConstraint(condition=Q(end_at__gte=F("start_at")), name="coverage_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.start_at:%Y-%m-%d %H:%M} to {self.end_at:%Y-%m-%d %H:%M}"


class Hole(models.Model):
    """A stretch of a series that is not there, and what is known about why."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be fetched"
        ABSENT = "absent", "Absent at the source"
        LOST = "lost", "Lost for good"

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=32)
    timeframe = models.IntegerField(help_text="seconds between rows; 0 for events")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True)
    # How often the venue was asked and had nothing; after three times the rows are absent at the source.
    tries = models.IntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "series", "timeframe", "start_at"], name="hole_unique"),
            models.CheckConstraint(condition=Q(end_at__gt=F("start_at")), name="hole_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.start_at:%Y-%m-%d %H:%M} to {self.end_at:%Y-%m-%d %H:%M}: {self.state}"


class Quarantine(models.Model):
    """A row that was not believed, kept as it came with the reason."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        RELEASED = "released", "Released"
        DISCARDED = "discarded", "Discarded"

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, null=True, related_name="+")
    series = models.CharField(max_length=32)
    origin = models.CharField(max_length=255)
    line = models.IntegerField()
    reason = models.CharField(max_length=200)
    raw = models.CharField(max_length=1000)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    timeframe = models.IntegerField(default=0, help_text="seconds; 0 for samples and events")
    # The row by field, where what came could be read as one: only such a row can be released.
    row = models.JSONField(null=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.HELD)
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "series", "origin", "line", "digest"], name="quarantine_row_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}"


class Change(models.Model):
    """Rows came, or were corrected, before the end of what was stored: whatever is built from there on is out of date.

    Ids ascend in the order of commits for one instrument, because all writers hold its lock.
    """

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=32)
    since = models.DateTimeField(help_text="time of the earliest row that came or changed")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["instrument", "id"], name="change_by_instrument")]

    def __str__(self) -> str:
        return f"{self.series} from {self.since:%Y-%m-%d %H:%M}"
