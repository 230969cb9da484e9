"""What the trader decided. A plan that is armed can never change again: a database trigger sees to it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


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
    # Set together, once, by arming.
    armed_at = models.DateTimeField(null=True)
    evidence = models.JSONField(null=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "number"], name="plan_number_unique"),
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

    @property
    def label(self) -> str:
        """The name shown on the page."""
        return f"P-{self.number}"
