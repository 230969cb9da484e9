"""What the API answered, so that a request that is sent again does nothing again."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from access.owning import OwnedManager


class SentAnswer(models.Model):
    """The answer to a request that carried a key of its sender's own. It is kept for a day."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key_sha256 = models.CharField(max_length=64, help_text="of the key that was sent")
    request_sha256 = models.CharField(max_length=64, help_text="of method, address and body")
    status = models.SmallIntegerField(default=0)
    sealed = models.BinaryField(default=b"", help_text="the body as JSON, for the owner's key only")
    sent_at = models.DateTimeField(db_default=Now())

    objects = OwnedManager["SentAnswer"]()

    # Opened by the operation that asks for it; no column.
    body: Any

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "key_sha256"], name="sent_answer_once")]
        indexes: ClassVar = [models.Index(fields=["owner", "sent_at"], name="sent_answer_by_age")]

    def __str__(self) -> str:
        return f"answer {self.pk}"
