"""Send what is in the outbox, at least once.

A mail whose worker died before it could note the sending is sent again, under the same Message-ID.
"""

from __future__ import annotations

import logging
import smtplib
from typing import TYPE_CHECKING, Final

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from access.mail import outbox
from access.mail.notices import NOTICES
from access.mail.rendering import render, site_address
from access.mail.suppression import is_withheld, unsubscribe_path
from access.models import Mail

if TYPE_CHECKING:
    from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)

MOST: Final = 40
_REFUSED: Final = (smtplib.SMTPRecipientsRefused, AnymailRecipientsRefused)
_SERVER_ERROR: Final = 500


def send_due(*, most: int = MOST) -> int:
    """Send up to so many mails that are due; return how many were taken. An outage ends the round."""
    transport = get_connection()
    taken = 0
    try:
        while taken < most and (mail := outbox.claim()) is not None:
            taken += 1
            if mail.state == Mail.State.SENDING and not _attempt(mail, transport):
                break
    finally:
        transport.close()
    return taken


def _attempt(mail: Mail, transport: BaseEmailBackend) -> bool:
    """Send one mail and note what became of it; False where the transport is away."""
    if is_withheld(digest=mail.digest, is_letter=mail.is_letter):
        outbox.end(mail, state=Mail.State.WITHHELD)
        return True
    try:
        transport.send_messages([compose(mail)])
    except _REFUSED as refusal:
        outbox.end(mail, state=Mail.State.DEAD, error=_reason(refusal))
    except Exception as error:
        is_outage = _is_outage(error)
        # A fault of ours is shown whole; a transport's words may hold the address.
        is_ours = not isinstance(error, (OSError, AnymailError))
        logger.warning("mail %s was not sent: %s", mail.pk, _reason(error), exc_info=is_ours)
        outbox.put_off(mail, error=_reason(error), is_outage=is_outage)
        return not is_outage
    else:
        outbox.end(mail, state=Mail.State.SENT)
    return True


def compose(mail: Mail) -> EmailMultiAlternatives:
    """Return the message of a row, the same at every attempt; a letter says how to end letters (RFC 8058)."""
    leave = unsubscribe_path(mail.digest) if mail.is_letter else ""
    rendered = render(NOTICES[mail.notice], context=mail.context, unsubscribe=leave)
    headers = {"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"}
    if leave:
        ways = [f"<{site_address(leave)}>"]
        if settings.UNSUBSCRIBE_MAILBOX:
            ways.append(f"<mailto:{settings.UNSUBSCRIBE_MAILBOX}?subject=unsubscribe>")
        headers |= {"List-Unsubscribe": ", ".join(ways), "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(rendered.subject, rendered.text, to=[mail.address], headers=headers)
    message.attach_alternative(rendered.html, "text/html")
    message.metadata = {"mail": str(mail.pk)}  # type: ignore[attr-defined]  # anymail hands it back
    return message


def _is_outage(error: Exception) -> bool:
    """Tell a transport that is away from one that would not take this mail."""
    if isinstance(error, AnymailAPIError):
        status = getattr(error, "status_code", None)
        return status is None or status >= _SERVER_ERROR
    lost = (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPAuthenticationError)
    return isinstance(error, lost) or (isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException))


def _reason(error: Exception) -> str:
    # Not its text, which may hold the address.
    return (
        f"{type(error).__name__} {getattr(error, 'smtp_code', '') or getattr(error, 'status_code', '') or ''}".strip()
    )
