"""Signs of a program: how long the form was open, and a proof of work where that is in doubt (ALTCHA, our own host)."""

from __future__ import annotations

import binascii
import datetime as dt
import hashlib
import json
from typing import Final

import altcha
from django.core import signing
from django.utils.crypto import salted_hmac

from access.models import SpentProof

LEAST: Final = dt.timedelta(seconds=2)
MOST: Final = dt.timedelta(hours=2)
LIFE: Final = dt.timedelta(minutes=20)
# Some 256 tries of a thousand rounds each: about a second in a browser.
_ALGORITHM, _COST, _PREFIX = "PBKDF2/SHA-256", 1_000, "00"
_OPENED: Final = signing.Signer(salt="access.early.opened")
_LONGEST: Final = 4_000


def stamp(*, now: dt.datetime) -> str:
    """Return a mark of when a form was shown."""
    return _OPENED.sign(str(int(now.timestamp())))


def is_timely(mark: str, *, now: dt.datetime) -> bool:
    """Tell whether a form was open as long as a person takes."""
    try:
        opened = dt.datetime.fromtimestamp(int(_OPENED.unsign(mark)), dt.UTC)
    except (signing.BadSignature, ValueError):
        return False
    return LEAST <= now - opened <= MOST


def challenge(*, now: dt.datetime) -> str:
    """Return a signed challenge as JSON, for the widget's attribute."""
    made = altcha.create_challenge(_ALGORITHM, _COST, key_prefix=_PREFIX, expires_at=now + LIFE, hmac_secret=_secret())
    return json.dumps(made.to_dict(), separators=(",", ":"))


def spend(payload: str, *, now: dt.datetime) -> bool:
    """Tell whether a solution is right, fresh and new; it is used up by that."""
    if not payload or len(payload) > _LONGEST:
        return False
    try:
        solved = altcha.Payload.from_base64(payload)
        parameters = solved.challenge.parameters
        # The nonce is signed, so one challenge has one mark however else its payload is written.
        mark = hashlib.sha256(str(parameters.nonce).encode()).hexdigest()
        is_ours = (parameters.algorithm, parameters.cost, parameters.key_prefix) == (_ALGORITHM, _COST, _PREFIX)
        is_right = is_ours and altcha.verify_solution(solved, _secret()).verified
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        return False
    if not is_right:
        return False
    _, is_new = SpentProof.objects.get_or_create(digest=mark, defaults={"expires_at": now + LIFE})
    return is_new


def prune(*, now: dt.datetime) -> None:
    """Forget proofs that no longer count anyway."""
    SpentProof.objects.filter(expires_at__lt=now).delete()


def _secret() -> bytes:
    return salted_hmac("access.early.proof", "", algorithm="sha256").digest()
