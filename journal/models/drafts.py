"""What somebody was writing when the page was left."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from access.owning import OwnedManager


class Unfinished(models.Model):
    """A plan's form as it was typed, checked or not; it goes when the plan is saved."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    zone = models.ForeignKey("heatmaps.Zone", on_delete=models.CASCADE, related_name="+")
    plan_number = models.IntegerField(default=0, help_text="of the draft that is changed; 0 for a new one")
    fields = models.JSONField(help_text="what was typed, by field")
    saved_at = models.DateTimeField(db_default=Now())

    objects = OwnedManager["Unfinished"]()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "zone", "plan_number"], name="unfinished_once"),
        ]

    def __str__(self) -> str:
        return f"unfinished form {self.pk}"
