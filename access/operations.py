"""Write what access knows: login links, API keys, and the erasure of an account."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from access.models import ApiKey, LoginLink, User

OPERATOR_EMAIL: Final = "operator@localhost"
LINK_LIFE: Final = dt.timedelta(hours=24)
TOKEN_BYTES: Final = 32
KEY_PREFIX: Final = "bh_"
# One write per key and minute is enough to tell a key in use from a forgotten one.
USE_STEP: Final = dt.timedelta(minutes=1)
KEYS_MAX: Final = 20


class TooManyKeysError(Exception):
    """An account holds only so many working keys."""


def digest(secret: str) -> str:
    """Hash a 256-bit random secret; such a secret needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_operator_link(*, now: dt.datetime) -> str:
    """Return the path of a fresh one-time login for the local operator, who is made if missing."""
    user = User.objects.filter(email=OPERATOR_EMAIL).first() or User.objects.create_superuser(OPERATOR_EMAIL)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    LoginLink.objects.create(user=user, digest=digest(token), expires_at=now + LINK_LIFE)
    return f"/enter/{token}/"


def use_login_link(*, token: str, now: dt.datetime) -> User | None:
    """Spend a link and return whom it logs in; None when it is unknown, spent or too old."""
    fresh = LoginLink.objects.filter(digest=digest(token), used_at=None, expires_at__gt=now, user__is_active=True)
    # The update itself decides: of two clicks at once only one finds the row unused.
    if fresh.update(used_at=now) == 0:
        return None
    return LoginLink.objects.select_related("user").get(digest=digest(token)).user


@transaction.atomic
def create_api_key(*, user: User, name: str) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which nobody can read again."""
    User.objects.select_for_update().get(pk=user.pk)
    if ApiKey.objects.filter(user=user, revoked_at=None).count() >= KEYS_MAX:
        raise TooManyKeysError(f"An account holds at most {KEYS_MAX} working keys. Revoke one first.")
    secret = KEY_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    key = ApiKey.objects.create(user=user, name=name, prefix=secret[:8], digest=digest(secret))
    return key, secret


def revoke_api_key(*, user: User, key_id: int, now: dt.datetime) -> bool:
    """Stop a key for good; False when the user has no such working key."""
    return ApiKey.objects.filter(pk=key_id, user=user, revoked_at=None).update(revoked_at=now) == 1


def authenticate_key(*, secret: str, now: dt.datetime) -> ApiKey | None:
    """Return the working key with this secret, and note that it was used."""
    if not secret.startswith(KEY_PREFIX):
        return None
    key = (
        ApiKey.objects.select_related("user")
        .filter(digest=digest(secret), revoked_at=None, user__is_active=True)
        .first()
    )
    if key is not None:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_STEP)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    return key


@transaction.atomic
def erase_account(*, user_id: int) -> None:
    """Delete a user with everything that is theirs, armed plans included."""
    user = User.objects.select_for_update().get(pk=user_id)
    # The journal's trigger lets an armed plan go only when its owner is being erased, in this transaction.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('bh.erasing_owner', %s, true)", [str(user_id)])
        user.delete()
        cursor.execute("SELECT set_config('bh.erasing_owner', '', true)")
