"""What the composition root asks of access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access import operations
from access.early import asking, forms, listing, touches, waves, welcome
from access.mail import outbox, sending

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from django.http import HttpRequest

    from access.models import Onboarding


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


def serve_early_access(*, now: dt.datetime) -> None:
    """Answer requests and send what is due of the waves."""
    asking.answer(now=now)
    waves.advance(now=now)


def keep_early_access(*, now: dt.datetime) -> None:
    """Let go of what was never confirmed or has run out."""
    listing.keep_house(now=now)


def blank_request(*, request: HttpRequest, now: dt.datetime) -> forms.RequestForm:
    """Return the form of a request for access, for the landing page; it knows where its reader came from."""
    return forms.blank_request(touch=touches.of_request(request), now=now)


def get_onboarding(*, user_id: int) -> Onboarding:
    """Return how far a new member has come."""
    return welcome.get(user_id=user_id)


def choose_pairs(*, user_id: int, pairs: Sequence[str]) -> None:
    """Keep which markets a member looks at."""
    welcome.choose(user_id=user_id, pairs=pairs)


def note_read(*, user_id: int, now: dt.datetime) -> None:
    """Keep that a member has read how to read the map."""
    welcome.note_read(user_id=user_id, now=now)


def note_onboarded(*, user_id: int, now: dt.datetime) -> None:
    """Keep that a member has left the first steps behind."""
    welcome.note_done(user_id=user_id, now=now)
