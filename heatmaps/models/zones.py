"""Zones: clusters of estimated liquidation levels."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from .maps import Heatmap


class Zone(models.Model):
    """A cluster of estimated liquidation levels, frozen as it was when it formed."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        SWEPT = "swept", "Swept"
        FADED = "faded", "Faded"

    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField(help_text="counts up within a heatmap; shown as Z-number")
    position_side = models.SmallIntegerField(choices=[(1, "Longs"), (-1, "Shorts")])
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    born_at = models.DateTimeField()
    tested_at = models.DateTimeField(null=True, help_text="price first came into the band")
    ended_at = models.DateTimeField(null=True)
    # The band and estimate now, and the largest estimate so far [USD].
    price_low = models.FloatField()
    price_high = models.FloatField()
    price_peak = models.FloatField()
    usd = models.FloatField()
    usd_low = models.FloatField(help_text="lower end of the 80 % interval")
    usd_high = models.FloatField(help_text="upper end of the 80 % interval")
    usd_peak = models.FloatField()
    missing_count = models.IntegerField(default=0)
    last_seen_at = models.DateTimeField()
    # Frozen at formation, never written again: canonical JSON and its SHA-256.
    evidence = models.JSONField()
    evidence_sha256 = models.CharField(max_length=64)
    input_digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["heatmap", "number"], name="zone_number_unique"),
            models.CheckConstraint(condition=Q(position_side__in=[1, -1]), name="zone_side"),
            models.CheckConstraint(condition=Q(price_high__gt=F("price_low")), name="zone_band"),
            models.CheckConstraint(
                condition=Q(state="active", ended_at__isnull=True) | Q(~Q(state="active"), ended_at__isnull=False),
                name="zone_end_matches_state",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name shown on the page."""
        return f"Z-{self.number}"
