"""Journals that came from elsewhere: kept as their export has them, to be read and never changed."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from access.owning import OwnedManager


class MovedJournal(models.Model):
    """An export that was sent. Once it is taken in it keeps its chains only, and the database refuses to change it.

    Plans in it were locked elsewhere: when, is what the file says. They are not plans of this account.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64, help_text="of the file")
    content = models.BinaryField(null=True, help_text="the file, until it is taken in")
    parts = models.JSONField(default=list, help_text="journal.imports.own.Part, oldest first")
    counts = models.JSONField(default=dict, help_text="what became of its rows")
    refused = models.JSONField(default=list, help_text='[["where", "why"], …]')
    sent_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True)

    objects = OwnedManager["MovedJournal"]()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "sha256"], name="moved_journal_once")]

    def __str__(self) -> str:
        return f"journal {self.sha256[:8]}"
