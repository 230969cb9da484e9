"""What others report: mail services of the mail that they took, allauth of who has signed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.signals import user_signed_up
from anymail.signals import tracking
from django.utils import timezone

from access.early import asking, gate
from access.mail.suppression import suppressed
from access.mail.tracking import note

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent
    from django.http import HttpRequest

    from access.models import User


def connect() -> None:
    """Listen, once for each process."""
    tracking.connect(_note, dispatch_uid="access.mail")
    suppressed.connect(_withdraw, dispatch_uid="access.early")
    user_signed_up.connect(_spend_invitation, dispatch_uid="access.accounts")


def _note(event: AnymailTrackingEvent, **_: object) -> None:
    note(event=event, now=timezone.now())


def _withdraw(*, digest: str, reason: str, **_: object) -> None:
    asking.withdraw(digest=digest, reason=reason)


def _spend_invitation(*, request: HttpRequest, user: User, **_: object) -> None:
    gate.accept(session=request.session, user=user, now=timezone.now())
