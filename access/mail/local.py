"""The transport of an installation that has none: mails stay here, for its operator to read."""

from __future__ import annotations

from email.utils import make_msgid
from typing import TYPE_CHECKING

from django.core.mail.backends.base import BaseEmailBackend

from access.models import LocalMail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.mail import EmailMessage


class LocalBackend(BaseEmailBackend):
    """Keep every message as a row; one that comes twice under the same Message-ID is kept once."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep them; return how many were handed over."""
        LocalMail.objects.bulk_create([_row(message) for message in email_messages], ignore_conflicts=True)
        return len(email_messages)


def _row(message: EmailMessage) -> LocalMail:
    alternatives = getattr(message, "alternatives", [])
    headers = dict(message.extra_headers)
    return LocalMail(
        message_id=headers.get("Message-ID") or make_msgid(domain="localhost"),
        address=", ".join(message.to)[:320],
        subject=message.subject[:200],
        headers=headers,
        text=str(message.body),
        html=next((str(body) for body, kind in alternatives if kind == "text/html"), ""),
    )
