"""Plans. A plan that is armed can never change again: a database trigger sees to it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.owning import OwnedManager


class PlanManager(OwnedManager["Plan"]):
    """The only door to plans: every query starts with an owner.

    Saving, cascades and foreign keys use Django's base manager and are not touched; ``dumpdata`` needs ``--all``.
    """

    def without_verdict(self) -> models.QuerySet[Plan]:
        """Return armed plans that nobody judges yet, for an upgrade."""
        armed = self._of_everybody().filter(armed_at__isnull=False).exclude(direction=Direction.OBSERVE)
        judged = apps.get_model("journal", "Judgement")._base_manager.values("plan_id")  # noqa: SLF001  # no other door
        return armed.exclude(pk__in=judged).order_by("pk")


class Direction(models.TextChoices):
    LONG = "long", "Long"
    SHORT = "short", "Short"
    OBSERVE = "observe", "Observe"


class EntryKind(models.TextChoices):
    """How a plan would be entered. The verdict follows it to the letter."""

    LIMIT = "limit", "Resting order"
    EDGE = "edge", "Resting at the zone's edge"
    STOP = "stop", "Breakout"
    CONFIRMED = "confirmed", "At the market, once confirmed"


class Management(models.TextChoices):
    NONE = "none", "Stop stays"
    BREAKEVEN = "breakeven", "To the entry after the first target"
    TRAIL = "trail", "Trails the close"


class TriggerSource(models.TextChoices):
    LAST = "last", "Last price"
    MARK = "mark", "Mark price"


_PRICED = Q(entry__isnull=False, invalidation__isnull=False, risk_pct__isnull=False) & ~Q(targets=[])
_UNPRICED = Q(entry__isnull=True, invalidation__isnull=True, risk_pct__isnull=True, targets=[])


class Plan(models.Model):
    """A trade plan pinned to a zone, with the evidence as it was when the plan was armed.

    A plan to observe has a place, a scenario and an expiry, and no prices. Prices are quote per base.
    """

    Direction = Direction
    EntryKind = EntryKind
    Management = Management
    TriggerSource = TriggerSource

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField(help_text="counts up within an owner; shown as P-number")
    # Context
    zone = models.ForeignKey("heatmaps.Zone", on_delete=models.PROTECT, related_name="+")
    more_zones = ArrayField(models.BigIntegerField(), default=list, help_text="further zones that it rests on")
    # Scenario
    direction = models.CharField(max_length=7, choices=Direction.choices)
    thesis = models.TextField(max_length=4000)
    wrong_if = models.TextField(max_length=2000, blank=True, help_text="what would make it wrong, beside the price")
    setups = ArrayField(models.CharField(max_length=30), default=list, help_text="the trader's own words")
    # Confirmation
    confirmation = models.JSONField(default=dict, help_text="the rule as data: journal.confirmation; empty: none")
    # Execution
    entry_kind = models.CharField(max_length=10, choices=EntryKind.choices, default=EntryKind.LIMIT)
    entry = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    max_chase = models.DecimalField(max_digits=5, decimal_places=2, null=True, help_text="share of 1 R beyond entry")
    invalidation = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    targets = models.JSONField(default=list, help_text='[["price", "weight"], …], weights make 1, as text')
    management = models.CharField(max_length=10, choices=Management.choices, default=Management.NONE)
    trail_atr = models.DecimalField(max_digits=5, decimal_places=2, null=True, help_text="distance in hourly ATR")
    trigger_source = models.CharField(max_length=4, choices=TriggerSource.choices, default=TriggerSource.LAST)
    expires_at = models.DateTimeField()
    time_stop_hours = models.IntegerField(null=True, help_text="after the entry")
    # Risk
    risk_pct = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    equity = models.DecimalField(max_digits=20, decimal_places=8, null=True, help_text="in what the contract pays in")
    leverage = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    # Belief
    belief_pct = models.SmallIntegerField(null=True, help_text="chance that the first target comes before the stop")
    conviction = models.SmallIntegerField(null=True, help_text="1 to 5")

    created_at = models.DateTimeField(db_default=Now())
    # Sent with the form, so that a second click makes no second draft.
    request_key = models.UUIDField(null=True)
    # Set together, once, by arming.
    armed_at = models.DateTimeField(null=True)
    evidence = models.JSONField(null=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)

    objects: ClassVar[PlanManager] = PlanManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "number"], name="plan_number_unique"),
            models.UniqueConstraint(fields=["owner", "request_key"], name="plan_request_once"),
            models.CheckConstraint(condition=Q(entry__gt=0, invalidation__gt=0), name="plan_prices_positive"),
            models.CheckConstraint(condition=Q(risk_pct__gt=0, risk_pct__lte=100), name="plan_risk_share"),
            models.CheckConstraint(
                condition=(Q(direction=Direction.OBSERVE) & _UNPRICED) | (~Q(direction=Direction.OBSERVE) & _PRICED),
                name="plan_priced_unless_observed",
            ),
            models.CheckConstraint(
                condition=Q(belief_pct__range=(0, 100), conviction__range=(1, 5)), name="plan_belief_range"
            ),
            models.CheckConstraint(
                condition=Q(max_chase__gte=0, trail_atr__gt=0, time_stop_hours__gt=0, equity__gt=0, leverage__gte=1),
                name="plan_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(armed_at__isnull=True, evidence__isnull=True, evidence_sha256="")
                | (Q(armed_at__isnull=False, evidence__isnull=False) & ~Q(evidence_sha256="")),
                name="plan_armed_with_evidence",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name shown on the page."""
        return f"P-{self.number}"

    @property
    def is_observed(self) -> bool:
        """Whether the plan is to look only."""
        return self.direction == Direction.OBSERVE

    @property
    def side(self) -> int:
        """+1 for a long, -1 for a short, 0 for a plan to observe."""
        return {Direction.LONG.value: 1, Direction.SHORT.value: -1}.get(self.direction, 0)

    @property
    def target_prices(self) -> list[tuple[Decimal, Decimal]]:
        """Targets with their weights [fraction], in the order in which the price would meet them."""
        return [(Decimal(price), Decimal(weight)) for price, weight in self.targets]
