"""Zones: clusters of estimated liquidation levels, and everything that was ever told of them."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from .maps import Heatmap


class ZoneState(models.Model):
    """How a zone is at a moment: the same columns where it stands now and where each event keeps them."""

    class State(models.TextChoices):
        FORMING = "forming", "Forming"
        ACTIVE = "active", "Active"
        APPROACHED = "approached", "Approached"
        PARTLY_SWEPT = "partly_swept", "Partly swept"
        SWEPT = "swept", "Swept"
        EXPIRED = "expired", "Expired"
        MERGED = "merged", "Merged"

    class Cause(models.TextChoices):
        THROUGH = "through", "price traded through all of it"
        EATEN = "eaten", "price swept most of it"
        CLOSED = "closed", "closing left less than half"
        LEVELLED = "levelled", "it no longer stands out"
        JOINED = "joined", "it is part of another zone"

    state = models.CharField(max_length=12, choices=State.choices, default=State.FORMING)
    cause = models.CharField(max_length=8, choices=Cause.choices, blank=True, default="", help_text="why it is over")
    other_number = models.IntegerField(
        null=True, help_text="the zone that it became part of, or that became part of it"
    )
    tested_at = models.DateTimeField(null=True, help_text="price first came into the band")
    price_low = models.FloatField()
    price_high = models.FloatField()
    price_peak = models.FloatField()
    usd = models.FloatField()
    usd_low = models.FloatField(help_text="lower end of the 80 % interval")
    usd_high = models.FloatField(help_text="upper end of the 80 % interval")
    usd_peak = models.FloatField(help_text="largest estimate so far, in the band as it is drawn")
    # Since it formed [USD]: usd = usd as it formed + deposited - closed - swept + moved.
    deposited = models.FloatField(default=0.0)
    closed = models.FloatField(default=0.0)
    swept = models.FloatField(default=0.0)
    moved = models.FloatField(default=0.0)

    class Meta:
        abstract = True


STATE_FIELDS: Final = (
    "state", "cause", "other_number", "tested_at", "price_low", "price_high", "price_peak",
    "usd", "usd_low", "usd_high", "usd_peak", "deposited", "closed", "swept", "moved",
)  # fmt: skip
ALIVE: Final = (
    ZoneState.State.FORMING, ZoneState.State.ACTIVE, ZoneState.State.APPROACHED, ZoneState.State.PARTLY_SWEPT,
)  # fmt: skip


class Zone(ZoneState):
    """A cluster of estimated liquidation levels, frozen as it was when it formed, and as it was told of last."""

    heatmap = models.ForeignKey(Heatmap, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField(help_text="counts up within a heatmap; shown as Z-number")
    position_side = models.SmallIntegerField(choices=[(1, "Longs"), (-1, "Shorts")])
    born_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(help_text="when it was as it is told here: its newest event")
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
                condition=Q(state__in=ALIVE, ended_at__isnull=True) | Q(~Q(state__in=ALIVE), ended_at__isnull=False),
                name="zone_end_matches_state",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name shown on the page."""
        return f"Z-{self.number}"

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.state in ALIVE

    def take(self, event: ZoneEvent) -> None:
        """Become what an event told: all that ever changes of a zone."""
        for name in STATE_FIELDS:
            setattr(self, name, getattr(event, name))
        self.last_seen_at, self.ended_at = event.at, None if self.is_alive else event.at


class ZoneEvent(ZoneState):
    """What was told of a zone at a moment; written once, never changed."""

    class Kind(models.TextChoices):
        FORMED = "formed", "Formed"
        CHANGED = "changed", "Estimate changed"
        STATE = "state", "State changed"
        TOUCHED = "touched", "Price came into the band"
        ABSORBED = "absorbed", "Took in another zone"
        ENDED = "ended", "Ended"

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="events")
    number = models.IntegerField(help_text="counts up within a zone")
    at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["zone", "number"], name="zone_event_number_unique")]

    def __str__(self) -> str:
        return f"{self.zone_id} {self.kind} {self.at:%Y-%m-%d %H:%M}"


class ZoneTracking(models.Model):
    """What follows a map's zones, as it was after the column at which ``zones_through`` points."""

    heatmap = models.OneToOneField(Heatmap, on_delete=models.CASCADE, primary_key=True, related_name="+")
    body = models.TextField(help_text="heatmaps.core.zones.Tracker.dump as JSON")

    def __str__(self) -> str:
        return str(self.heatmap_id)
