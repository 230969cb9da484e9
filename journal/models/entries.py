"""What a trader did with plans, as a chain: each entry carries the hash of the one before. Only added to."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from access.owning import OwnedManager

from .plans import Plan


class JournalEntryManager(OwnedManager["JournalEntry"]):
    """The doors to entries: of an owner, or what the judge has to know, which is no text."""

    def presses(self, plan_ids: list[int]) -> models.QuerySet[JournalEntry]:
        """Return when authors confirmed plans by hand, for the judge."""
        return self._of_everybody().filter(plan_id__in=plan_ids, kind=JournalEntry.Kind.CONFIRMED).only("plan", "at")


class JournalEntry(models.Model):
    """One link of an owner's chain. The database refuses to change one, another moment, and a wrong link."""

    class Kind(models.TextChoices):
        ARMED = "armed", "Armed"
        UNDONE = "undone", "Arming undone"
        CONFIRMED = "confirmed", "Confirmed by hand"
        NOTED = "noted", "Note"
        STOP = "stop", "Stop moved"
        TARGET = "target", "Targets moved"
        PARTIAL = "partial", "Closed in part"
        CANCELLED = "cancelled", "Cancelled"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField(help_text="counts up within an owner, without gaps")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(help_text="by the database's clock, to the millisecond")
    content = models.TextField(help_text="canonical JSON (RFC 8785): what it says")
    content_sha256 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, help_text="of the canonical JSON of the link")
    # Words stay beside the chain, which holds their salted hash: they can be erased, the chain can not.
    note = models.TextField(max_length=4000, blank=True)
    salt = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[JournalEntryManager] = JournalEntryManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "number"], name="journal_entry_number_unique"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["plan"], condition=models.Q(kind="confirmed"), name="journal_entry_presses")
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}.{self.number} {self.kind}"
