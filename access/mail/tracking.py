"""What mail services report of mails that they took: bounces, complaints, deliveries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from anymail.signals import EventType, RejectReason
from django.db import transaction

from access.mail.suppression import address_digest, suppress
from access.models import Mail, Suppression

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent

DELAYS: Final = 3
DELAYS_WITHIN: Final = dt.timedelta(days=7)
_PASSING: Final = {RejectReason.TIMED_OUT}
_OUTCOMES: Final = {
    EventType.DELIVERED: Mail.Outcome.DELIVERED,
    EventType.DEFERRED: Mail.Outcome.DELAYED,
    EventType.BOUNCED: Mail.Outcome.BOUNCED,
    EventType.REJECTED: Mail.Outcome.BOUNCED,
    EventType.COMPLAINED: Mail.Outcome.COMPLAINED,
}


@transaction.atomic
def note(*, event: AnymailTrackingEvent, now: dt.datetime) -> None:
    """Note what became of a mail, and stop writing to an address that bounces, complains or wants no letters."""
    digest = address_digest(event.recipient or "")
    if event.event_type == EventType.UNSUBSCRIBED:
        suppress(digest=digest, reason=Suppression.Reason.UNSUBSCRIBED)
        return
    outcome = _OUTCOMES.get(event.event_type)
    if outcome is None:
        return
    if event.reject_reason in _PASSING:
        outcome = Mail.Outcome.DELAYED
    _mail_of(event.metadata or {}, digest).update(outcome=outcome, outcome_at=now)
    if outcome == Mail.Outcome.COMPLAINED:
        suppress(digest=digest, reason=Suppression.Reason.COMPLAINT)
        suppress(digest=digest, reason=Suppression.Reason.UNSUBSCRIBED)
    if outcome == Mail.Outcome.BOUNCED or (outcome == Mail.Outcome.DELAYED and _is_often_late(digest, now)):
        suppress(digest=digest, reason=Suppression.Reason.BOUNCE)


def _mail_of(metadata: dict[str, Any], digest: str) -> Any:  # noqa: ANN401  # a query set
    number = str(metadata.get("mail", ""))
    return Mail.objects.filter(pk=int(number) if number.isascii() and number.isdecimal() else 0, digest=digest)


def _is_often_late(digest: str, now: dt.datetime) -> bool:
    late = Mail.objects.filter(digest=digest, outcome=Mail.Outcome.DELAYED, outcome_at__gt=now - DELAYS_WITHIN)
    return late.count() >= DELAYS
