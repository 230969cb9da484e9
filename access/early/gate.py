"""What the sign-up asks: whether this visitor was invited, and for which address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from access.early import tokens
from access.models import Signup, Token

if TYPE_CHECKING:
    import datetime as dt

    from django.contrib.sessions.backends.base import SessionBase

    from access.models import User

_HELD: Final = "early_invitation"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that a session holds; it is for this address and no other."""

    token_id: int
    address: str


def hold(*, session: SessionBase, secret: str, now: dt.datetime) -> Invitation | None:
    """Put an invitation into a session; None where its link is used, too old, of another kind, or not ours."""
    token = tokens.find(secret=secret, purpose=Token.Purpose.INVITE, now=now)
    if token is None:
        return None
    session[_HELD] = token.pk
    return Invitation(token.pk, token.signup.address)


def held(*, session: SessionBase, now: dt.datetime) -> Invitation | None:
    """Return the invitation that a session holds while it is still good."""
    live = Token.objects.filter(purpose=Token.Purpose.INVITE, used_at=None, end="", expires_at__gt=now)
    token = live.filter(pk=session.get(_HELD, 0)).select_related("signup").first()
    return Invitation(token.pk, token.signup.address) if token else None


@transaction.atomic
def accept(*, session: SessionBase, user: User, now: dt.datetime) -> bool:
    """Spend the held invitation for a new account with its address; False where it is gone or for another."""
    invitation = held(session=session, now=now)
    if invitation is None or invitation.address.lower() != user.email.lower():
        return False
    token = Token.objects.select_related("signup").get(pk=invitation.token_id)
    if not tokens.spend(token=token, now=now):
        return False
    invited = Signup.objects.filter(pk=token.signup_id, state=Signup.State.INVITED)
    accepted = invited.update(state=Signup.State.ACCEPTED, accepted_at=now, user=user)
    session.pop(_HELD, None)
    return accepted == 1
