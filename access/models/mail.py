"""Mail on its way out, mail that stayed on this machine, and addresses that are not written to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Mail(models.Model):
    """A mail that is to be sent; the row is written in the transaction that gave the reason for it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        # The address wanted no mail of this kind when its turn came.
        WITHHELD = "withheld", "Withheld"
        DEAD = "dead", "Dead"

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        DELAYED = "delayed", "Delayed"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained of"

    key = models.CharField(max_length=120, unique=True, null=True, help_text="asked for again under it: once")  # noqa: DJ001  # many rows have none
    notice = models.CharField(max_length=60, help_text="which mail it is")
    is_letter = models.BooleanField(help_text="may be unsubscribed from")
    batch = models.CharField(max_length=60, blank=True, help_text="what it was sent together with")
    address = models.EmailField()
    digest = models.CharField(max_length=64, help_text="keyed hash of the address")
    context = models.JSONField(default=dict, help_text="what the text is filled with; emptied once it is sent")
    message_id = models.CharField(max_length=255, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempt = models.IntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    hinted_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    outcome_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "mail"
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="mail_by_state"),
            # The order in which mails are taken: thousands may wait for their turn.
            models.Index(
                fields=["is_letter", "due_at", "id"],
                name="mail_by_turn",
                condition=models.Q(state__in=("queued", "sending")),
            ),
            models.Index(fields=["digest", "outcome_at"], name="mail_by_address"),
            models.Index(fields=["batch"], name="mail_by_batch", condition=~models.Q(batch="")),
        ]

    def __str__(self) -> str:
        return f"{self.notice} ({self.state})"


class LocalMail(models.Model):
    """A mail that was not sent anywhere, because this installation has no way to send: the operator reads it here."""

    message_id = models.CharField(max_length=255, unique=True)
    address = models.CharField(max_length=320)
    subject = models.CharField(max_length=200)
    headers = models.JSONField(default=dict)
    text = models.TextField()
    html = models.TextField(blank=True)
    arrived_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "local mail"

    def __str__(self) -> str:
        return self.subject


class Suppression(models.Model):
    """An address that is not written to, known by its keyed hash only, so that it outlives the erasure of a person."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", "Bounced"
        COMPLAINT = "complaint", "Complained"
        # Of letters only: mail about the account itself still goes out.
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"

    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["digest", "reason"], name="suppression_once")]

    def __str__(self) -> str:
        return f"{self.digest[:8]}… ({self.reason})"
