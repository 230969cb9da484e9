"""What the composition root asks of access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access import operations
from access.mail import outbox, sending

if TYPE_CHECKING:
    import datetime as dt


def make_operator_link(*, now: dt.datetime) -> str:
    """Return the path of a fresh one-time login for the local operator."""
    return operations.make_operator_link(now=now)


def count_mail_rounds() -> int:
    """Return how many rounds of `send_mail` the mail that is due asks for; it is hinted at once in a while."""
    return -(-outbox.hint() // sending.MOST)


def send_mail() -> None:
    """Send one round of the mail that is due."""
    sending.send_due()


def prune_mail() -> None:
    """Forget mail that ended long ago."""
    outbox.prune()
