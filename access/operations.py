"""Write what access knows: login links, API keys, and the erasure of an account."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Q

from access.early import limits, listing
from access.mail import forget
from access.models import ApiKey, LoginLink, Preferences, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from allauth.mfa.models import Authenticator

OPERATOR_EMAIL: Final = "operator@localhost"
LINK_LIFE: Final = dt.timedelta(hours=24)
TOKEN_BYTES: Final = 32
KEY_PREFIX: Final = "bh_"
# One write per key and minute is enough to tell a key in use from a forgotten one.
USE_STEP: Final = dt.timedelta(minutes=1)
KEYS_MAX: Final = 20
# Tries at once, and seconds until one more is earned.
ADDRESS_ALLOWANCE: Final = (20, 15)
ACCOUNT_ALLOWANCE: Final = (8, 60)
DEVICE_ALLOWANCE: Final = (8, 60)
# What else may be sent to a door, each from a network address or by an account.
DOOR_ALLOWANCES: Final = {
    "sign-up": (20, 3),
    "reset": (20, 3),
    "new-password": (20, 3),
    "passkey": (10, 6),
    "second-factor": (5, 60),
    "again": (10, 6),
    "email": (10, 6),
    "password": (5, 12),
}
# Mails that strangers may have sent to one address.
MAIL_ALLOWANCE: Final = (3, 1800)
_SPEND: Final = """
UPDATE mfa_authenticator SET data = data || jsonb_build_object('spent_step', %(step)s::bigint)
WHERE id = %(id)s AND COALESCE((data ->> 'spent_step')::bigint, -1) < %(step)s
"""


class TooManyKeysError(Exception):
    """An account holds only so many working keys."""


def digest(secret: str) -> str:
    """Hash a 256-bit random secret; such a secret needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_operator_link(*, now: dt.datetime) -> str:
    """Return the path of a fresh one-time login for the local operator, who is made if missing; end earlier links."""
    user = User.objects.filter(email=OPERATOR_EMAIL).first() or User.objects.create_superuser(OPERATOR_EMAIL)
    LoginLink.objects.filter(Q(expires_at__lte=now) | Q(user=user, used_at=None)).delete()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    LoginLink.objects.create(user=user, digest=digest(token), expires_at=now + LINK_LIFE)
    return f"/enter/{token}/"


def use_login_link(*, token: str, now: dt.datetime) -> User | None:
    """Spend a link and return whom it logs in; None when it is unknown, spent or too old."""
    fresh = LoginLink.objects.filter(digest=digest(token), used_at=None, expires_at__gt=now)
    link = fresh.filter(user__is_active=True).select_related("user").first()
    # The update itself decides: of two clicks at once only one finds the row unused. It names no other table, or the
    # row would be chosen before it waits for the other click, and not be looked at again.
    return link.user if link is not None and fresh.filter(pk=link.pk).update(used_at=now) else None


@transaction.atomic
def create_api_key(
    *, user: User, name: str, scopes: Sequence[str] = (), expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which nobody can read again; without scopes it may read everything."""
    User.objects.select_for_update().get(pk=user.pk)
    if ApiKey.objects.filter(user=user, revoked_at=None).count() >= KEYS_MAX:
        raise TooManyKeysError(f"An account holds at most {KEYS_MAX} working keys. Revoke one first.")
    secret = KEY_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=secret[:8],
        digest=digest(secret),
        scopes=list(scopes) or ApiKey.Scope.every(),
        expires_at=expires_at,
    )
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
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=now), digest=digest(secret), revoked_at=None, user__is_active=True
        )
        .first()
    )
    if key is not None:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_STEP)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    return key


def keep_preferences(*, user: User, **chosen: str | Decimal | None) -> None:
    """Keep what a person has set for themselves, by names of Preferences."""
    Preferences.objects.update_or_create(user=user, defaults=chosen)


def allow_login_try(*, account: str, address: str, device: str | None, now: dt.datetime) -> bool:
    """Count one try against its network address and its account; False when either has none left.

    A device that has logged in to the account before has an allowance of its own, so that strangers who
    guess at an account can not keep its owner out.
    """
    by_account = (f"device:{account}:{device}", *DEVICE_ALLOWANCE) if device else (account, *ACCOUNT_ALLOWANCE)
    return _take_try(f"address:{address}", *ADDRESS_ALLOWANCE, now) and _take_try(*by_account, now)


def allow_at_door(*, door: str, source: str, now: dt.datetime) -> bool:
    """Count what is sent to a door of ``DOOR_ALLOWANCES`` against its source; False where it has none left."""
    return _take_try(f"{door}:{source}", *DOOR_ALLOWANCES[door], now)


def allow_api_request(*, source: str, most: int, seconds: float, now: dt.datetime) -> bool:
    """Count a request to the API against its source: ``most`` at once, and one more in so many seconds."""
    return limits.take(f"api:{source}", limits.Bucket(most, seconds), now=now)


def allow_asked_mail(*, address: str, now: dt.datetime) -> bool:
    """Count one mail that anyone may ask for; False where its address has had enough of them."""
    return _take_try(f"mail:{address.lower()}", *MAIL_ALLOWANCE, now)


def forget_login_tries(*, account: str) -> None:
    """Give an account its whole allowance back after a right password."""
    limits.fill(f"try:{account}")


def _take_try(source: str, most: int, seconds: int, now: dt.datetime) -> bool:
    return limits.take(f"try:{source}", limits.Bucket(most, seconds), now=now)


@transaction.atomic
def erase_account(*, user_id: int) -> None:
    """Delete a user with everything that is theirs: armed plans, sessions, mail, and what early access keeps."""
    user = User.objects.select_for_update().get(pk=user_id)
    for address in {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}:
        listing.forget_address(address=address)
        forget(address=address)
    keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
    Session.objects.filter(session_key__in=list(keys)).delete()
    # The journal's trigger lets an armed plan go only when its owner is being erased, in this transaction.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('bh.erasing_owner', %s, true)", [str(user_id)])
        user.delete()
        cursor.execute("SELECT set_config('bh.erasing_owner', '', true)")


def spend_code(*, authenticator: Authenticator, code: str) -> bool:
    """Note the time step whose code is spent; False where that one, or a later one, was spent before."""
    secret = decrypt(authenticator.data["secret"])
    codes = {step: format_hotp_value(hotp_value(secret, step)) for step in yield_hotp_counters_from_time()}
    steps = (step for step, expected in codes.items() if compare_user_code(actual=code, expected=expected))
    with connection.cursor() as cursor:
        # Without a step its time has just ended.
        cursor.execute(_SPEND, {"id": authenticator.pk, "step": next(steps, -1)})
        return bool(cursor.rowcount)
