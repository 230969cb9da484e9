"""What the trader decided. A plan that is armed can never change again: a database trigger sees to it."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OwnerScopeError(RuntimeError):
    """Private rows were asked for without saying whose."""


class PlanManager(models.Manager["Plan"]):
    """The only door to plans: every query starts with an owner.

    Saving, cascades and foreign keys use Django's base manager and are not touched; ``dumpdata`` needs ``--all``.
    """

    def get_queryset(self) -> NoReturn:
        """Refuse."""
        raise OwnerScopeError("Plans are private: begin with Plan.objects.owned_by(owner_id).")

    def owned_by(self, owner_id: int) -> models.QuerySet[Plan]:
        """Return the plans of one owner."""
        return super().get_queryset().filter(owner_id=owner_id)


class Plan(models.Model):
    """A trade plan pinned to a zone, with the evidence as it was when the plan was armed."""

    class Direction(models.TextChoices):
        LONG = "long", "Long"
        SHORT = "short", "Short"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    zone = models.ForeignKey("heatmaps.Zone", on_delete=models.PROTECT, related_name="+")
    number = models.IntegerField(help_text="counts up within an owner; shown as P-number")
    direction = models.CharField(max_length=5, choices=Direction.choices)
    entry = models.DecimalField(max_digits=20, decimal_places=8)
    invalidation = models.DecimalField(max_digits=20, decimal_places=8)
    target = models.DecimalField(max_digits=20, decimal_places=8)
    risk_pct = models.DecimalField(max_digits=5, decimal_places=2)
    thesis = models.TextField(max_length=4000)
    expires_at = models.DateTimeField()
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
            models.CheckConstraint(
                condition=Q(entry__gt=0, invalidation__gt=0, target__gt=0), name="plan_prices_positive"
            ),
            models.CheckConstraint(condition=Q(risk_pct__gt=0, risk_pct__lte=100), name="plan_risk_share"),
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
