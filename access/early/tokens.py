"""Secrets of links in mails: 256 random bits, stored as a hash, for one purpose and one use."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from access.models import Token

if TYPE_CHECKING:
    from access.models import Signup

LIVES: Final = {
    Token.Purpose.CONFIRM: dt.timedelta(hours=72),
    Token.Purpose.INVITE: dt.timedelta(days=14),
    Token.Purpose.MANAGE: dt.timedelta(days=60),
}
_BYTES: Final = 32


def mint(*, signup: Signup, purpose: Token.Purpose, now: dt.datetime, expires_at: dt.datetime | None = None) -> str:
    """Return a new secret; an earlier one of a purpose that changes something is superseded."""
    if purpose != Token.Purpose.MANAGE:
        end_live(signup=signup, purpose=purpose, end=Token.End.SUPERSEDED)
    secret = secrets.token_urlsafe(_BYTES)
    ends_at = expires_at or now + LIVES[purpose]
    Token.objects.create(signup=signup, purpose=purpose, digest=_hash(secret), created_at=now, expires_at=ends_at)
    return secret


def find(*, secret: str, purpose: Token.Purpose, now: dt.datetime) -> Token | None:
    """Return the live token of this secret and purpose. The look-up is by hash, so its time tells nothing."""
    live = Token.objects.filter(digest=_hash(secret), purpose=purpose, used_at=None, end="", expires_at__gt=now)
    return live.select_related("signup").first()


def spend(*, token: Token, now: dt.datetime) -> bool:
    """Use a token up; of two at once only one finds it unused."""
    live = Token.objects.filter(pk=token.pk, used_at=None, end="", expires_at__gt=now)
    return live.update(used_at=now) == 1


def end_live(*, signup: Signup, purpose: Token.Purpose, end: Token.End) -> int:
    """End what is still unused; return how many that were."""
    return Token.objects.filter(signup=signup, purpose=purpose, used_at=None, end="").update(end=end)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
