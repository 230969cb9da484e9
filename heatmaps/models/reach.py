"""Chances of a touch: what was learnt, what was stated by it, and what came. Nothing here is ever written again."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from heatmaps.core.reach import HORIZONS

from .maps import EstimatorRelease


class Reach(models.Model):
    """How far one instrument's price has gone within each horizon, learnt from bars up to the beginning of a day."""

    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    release = models.ForeignKey(EstimatorRelease, on_delete=models.PROTECT, related_name="+")
    learnt_from = models.DateTimeField(null=True, help_text="open time of the first bar; empty without bars")
    learnt_through = models.DateTimeField()
    input_digest = models.CharField(max_length=64, help_text="SHA-256 of the bars")
    body = models.BinaryField(help_text="heatmaps.core.reach.Fit.pack")
    refused = models.JSONField(help_text="the horizons that the history does not carry, and why")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "release", "learnt_through", "input_digest"], name="reach_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} by {self.release_id} through {self.learnt_through:%Y-%m-%d}"


class Statement(models.Model):
    """Chances that were stated at a moment for one horizon, of levels at fixed distances and of active zones."""

    reach = models.ForeignKey(Reach, on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, related_name="+")
    horizon = models.CharField(max_length=4, choices=[(name, name) for name in HORIZONS])
    stated_at = models.DateTimeField(help_text="end of the newest bar that it rests on")
    due_at = models.DateTimeField(help_text="end of the horizon")
    price = models.FloatField(null=True)
    # One entry a level; a zone's level is its edge nearest to the price, and 0 stands for no zone.
    levels = ArrayField(models.FloatField())
    zones = ArrayField(models.BigIntegerField())
    chances = ArrayField(models.FloatField())
    base = ArrayField(models.FloatField(), help_text="the share of past windows that went so far")
    refused = models.TextField(blank=True, help_text="why nothing was stated")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "horizon", "stated_at"], name="statement_once"),
            models.CheckConstraint(
                condition=Q(refused="", price__isnull=False) | Q(~Q(refused=""), levels=[]),
                name="statement_or_reason",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="statement_by_due")]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.horizon} {self.stated_at:%Y-%m-%d %H:%M}"


class Outcome(models.Model):
    """How far the price went within a statement's horizon: what lies between low and high was touched."""

    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, primary_key=True, related_name="outcome")
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    missing = models.IntegerField(help_text="five-minute bars that never came: what was not seen touched is unknown")
    judged_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.statement_id}: {self.low} to {self.high}"
