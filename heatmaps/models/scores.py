"""Score runs: what a command measured, once and for ever."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ScoreRun(models.Model):
    """One run of ``manage.py score``, from which every figure of the scorecard comes.

    Rows are only ever added: the database refuses every change. ``rows`` is a list of figures as
    ``heatmaps.core.score.figures.Figure`` spells them; ``estimators`` a list of {slug, version, digest of parameters};
    ``data_sha256`` is over all input that was scored.
    """

    # None for the simulator, whose worlds are no instruments.
    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=100, help_text="venue:symbol, or simulator")
    against = models.CharField(max_length=20, help_text="what was scored against")
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    command = models.TextField(help_text="the command that repeats this run")
    estimators = models.JSONField()
    settings = models.JSONField(help_text="resamples, seed, folds, and whatever else the figures depend on")
    data_sha256 = models.CharField(max_length=64)
    rows = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(data_sha256__regex=r"^[0-9a-f]{64}$"), name="score_run_has_its_data"),
            models.CheckConstraint(condition=~Q(rows=[]), name="score_run_says_something"),
        ]
        indexes: ClassVar = [models.Index(fields=["subject", "against", "-created_at"], name="score_run_newest")]

    def __str__(self) -> str:
        return f"{self.subject} against {self.against}, {self.created_at:%Y-%m-%d %H:%M}"
