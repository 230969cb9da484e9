"""What others report: mail services, of the mail that they took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anymail.signals import tracking
from django.utils import timezone

from access.early import asking
from access.mail.suppression import suppressed
from access.mail.tracking import note

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent


def connect() -> None:
    """Listen, once for each process."""
    tracking.connect(_note, dispatch_uid="access.mail")
    suppressed.connect(_withdraw, dispatch_uid="access.early")


def _note(event: AnymailTrackingEvent, **_: object) -> None:
    note(event=event, now=timezone.now())


def _withdraw(*, digest: str, reason: str, **_: object) -> None:
    asking.withdraw(digest=digest, reason=reason)
