"""What others report: mail services, of the mail that they took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anymail.signals import tracking
from django.utils import timezone

from access.mail.tracking import note

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent


def connect() -> None:
    """Listen, once for each process."""
    tracking.connect(_note, dispatch_uid="access.mail")


def _note(event: AnymailTrackingEvent, **_: object) -> None:
    note(event=event, now=timezone.now())
