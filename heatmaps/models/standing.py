"""Where an instrument stands: what tables of hundreds of instruments show and could not compute while someone waits."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .maps import Heatmap


class Standing(models.Model):
    """One row an instrument, written over with each step: nothing here is told of any moment but ``as_of``."""

    instrument = models.OneToOneField("market.Instrument", on_delete=models.CASCADE, primary_key=True, related_name="+")
    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    as_of = models.DateTimeField(help_text="end of the newest committed column, and of the bar that it rests on")
    price = models.FloatField(null=True, help_text="the close there; empty where the column is a gap")
    # Estimates within 5 % of the price [USD], each with its 80 % interval; all are there, or none.
    longs_usd = models.FloatField(null=True)
    longs_low = models.FloatField(null=True)
    longs_high = models.FloatField(null=True)
    shorts_usd = models.FloatField(null=True)
    shorts_low = models.FloatField(null=True)
    shorts_high = models.FloatField(null=True)
    # By a living zone's id and by horizon: the chance of a touch of its near edge, 0 to 1; and why there is none.
    chances = models.JSONField()
    refused = models.JSONField()
    coverage_pct = models.FloatField(null=True, help_text="of a pair: of its members; else: of a week's bars")
    # From complete hours.
    hour_at = models.DateTimeField(help_text="end of the newest complete hour")
    crowding = models.CharField(max_length=32, blank=True, help_text="the state's name")
    crowding_reason = models.CharField(max_length=200, blank=True, help_text="why it has none")
    funding_pct = models.FloatField(null=True, help_text="rate in force at the hour's end [%]")
    funding_percentile = models.FloatField(null=True)
    funding_days = models.IntegerField(default=0, help_text="what the percentile is over")
    funding_reason = models.CharField(max_length=200, blank=True)
    interest_percentile = models.FloatField(null=True)
    interest_days = models.IntegerField(default=0, help_text="what the percentile is over")
    interest_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(price__isnull=True, longs_usd__isnull=True, shorts_usd__isnull=True)
                | Q(
                    price__gt=0,
                    longs_low__gte=0, longs_usd__gte=0, longs_high__gte=0,
                    shorts_low__gte=0, shorts_usd__gte=0, shorts_high__gte=0,
                ),
                name="standing_near_with_price",
            ),
            models.CheckConstraint(condition=~Q(crowding="", crowding_reason=""), name="standing_crowding_or_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.instrument_id} at {self.as_of:%Y-%m-%d %H:%M}"
