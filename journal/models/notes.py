"""Notes that only their owner's pages can read: sealed words, and the key of each owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from access.owning import OwnedManager

if TYPE_CHECKING:
    from django.db.models import QuerySet


class NoteKeyManager(OwnedManager["NoteKey"]):
    """The doors to keys: of an owner, or all of them to wrap them anew."""

    def to_rewrap(self) -> QuerySet[NoteKey]:
        """Return every key, for whoever changes the key that wraps them."""
        return self._of_everybody().order_by("pk")


class NoteKey(models.Model):
    """The key of an owner's notes, wrapped by a key of the environment. Without it the notes are noise."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )  # fmt: skip
    wrapped = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[NoteKeyManager] = NoteKeyManager()

    def __str__(self) -> str:
        return f"key of {self.owner_id}"


class WeekNote(models.Model):
    """What an owner takes from a week, sealed."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    monday = models.DateField()
    sealed = models.BinaryField()
    kept_at = models.DateTimeField(db_default=Now())

    objects = OwnedManager["WeekNote"]()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "monday"], name="week_note_once")]

    def __str__(self) -> str:
        return f"week of {self.monday}"
