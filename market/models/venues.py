"""What is known of venues and of the feed that listens to them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class VenueState(models.Model):
    """What all processes know of a venue together: whether it answers, how long to leave it alone, what is spent."""

    venue = models.CharField(max_length=32, primary_key=True)
    answered_at = models.DateTimeField(null=True)
    unreachable_since = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    # Nobody asks before this: a ban, a Retry-After, or the pause after failures.
    retry_at = models.DateTimeField(null=True)
    is_banned = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    window_at = models.DateTimeField(db_default=Now())
    spent = models.FloatField(default=0.0, help_text="weight spent since window_at")
    asked = models.BooleanField(default=True, help_text="whether the newest request was let through")
    listed_at = models.DateTimeField(null=True, help_text="when its list of contracts was last read")
    refused_count = models.BigIntegerField(default=0, help_text="answers 418 and 429 so far")

    def __str__(self) -> str:
        return self.venue


class VenueLimit(models.Model):
    """What is spent of a limit that some questions to a venue have beside its budget."""

    venue = models.CharField(max_length=32)
    name = models.CharField(max_length=32)
    window_at = models.DateTimeField(db_default=Now())
    spent = models.FloatField(default=0.0, help_text="weight spent since window_at")
    asked = models.BooleanField(default=True, help_text="whether the newest request was let through")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["venue", "name"], name="venue_limit_unique")]

    def __str__(self) -> str:
        return f"{self.venue} {self.name}"


class FeedState(models.Model):
    """One websocket of the feed, as its process last described it."""

    venue = models.CharField(max_length=32)
    channel = models.CharField(max_length=64)
    # By the database's clock, all else by the feed's.
    described_at = models.DateTimeField(db_default=Now())
    noted_at = models.DateTimeField(db_default=Now())
    connected_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    reconnects = models.IntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    # From the end of a bar to its commit [s of wall time], of the newest thousand.
    lag_p50 = models.FloatField(null=True)
    lag_p95 = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["venue", "channel"], name="feed_channel_unique")]

    def __str__(self) -> str:
        return f"{self.venue} {self.channel}"
