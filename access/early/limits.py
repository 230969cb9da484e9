"""Limits: token buckets in PostgreSQL, the same for all processes, and no matter of the cache."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import connection
from django.utils.crypto import salted_hmac

from access.addresses import address_of, network_of
from access.models import Allowance

if TYPE_CHECKING:
    from django.http import HttpRequest


class Bucket(NamedTuple):
    """How many at once, and the seconds until one more is earned."""

    most: int
    seconds: float


# Beyond these a request is dropped in silence.
ADDRESS: Final = Bucket(10, 360)
NETWORK: Final = Bucket(40, 60)
EVERYONE: Final = Bucket(2_000, 1)
# Beyond these a proof of work is asked for.
CALM_NETWORK: Final = Bucket(4, 600)
CALM_EVERYONE: Final = Bucket(300, 5)
# Of mails to one address.
MAIL: Final = Bucket(1, 15 * 60)
MAILS_A_DAY: Final = Bucket(5, 86_400 / 5)
_TAKE: Final = """
INSERT INTO access_allowance AS held (digest, tokens, updated_at) VALUES (%(digest)s, %(most)s - 1, %(now)s)
ON CONFLICT (digest) DO UPDATE SET
    updated_at = %(now)s,
    tokens = LEAST(%(most)s, held.tokens + EXTRACT(EPOCH FROM %(now)s - held.updated_at) / %(seconds)s) - 1
WHERE LEAST(%(most)s, held.tokens + EXTRACT(EPOCH FROM %(now)s - held.updated_at) / %(seconds)s) >= 1
RETURNING tokens
"""
_FORGET: Final = dt.timedelta(days=1)
_PREFIXES: Final = {4: (32, 24), 6: (64, 48)}


def take(name: str, bucket: Bucket, *, now: dt.datetime) -> bool:
    """Take one out of a bucket; False where it is empty. Concurrent takers wait for each other on its row."""
    values: dict[str, str | float | dt.datetime] = {
        "digest": _digest(name),
        "most": float(bucket.most),
        "seconds": float(bucket.seconds),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        return cursor.fetchone() is not None


def fill(name: str) -> None:
    """Let a bucket be full."""
    Allowance.objects.filter(digest=_digest(name)).delete()


def may_ask(*, nets: tuple[str, str], now: dt.datetime) -> bool:
    """Count a request against its address (/32, /64), its network (/24, /48) and everyone."""
    near, wide = nets
    return all(
        (
            take(f"ask:address:{near}", ADDRESS, now=now),
            take(f"ask:network:{wide}", NETWORK, now=now),
            take("ask:everyone", EVERYONE, now=now),
        )
    )


def is_calm(*, nets: tuple[str, str], now: dt.datetime) -> bool:
    """Tell whether this network, and all together, send no more than people do."""
    calm = take(f"calm:network:{nets[1]}", CALM_NETWORK, now=now)
    return take("calm:everyone", CALM_EVERYONE, now=now) and calm


def may_mail(*, digest: str, now: dt.datetime) -> bool:
    """Count a mail to an address, whoever it is: one in 15 minutes, five a day."""
    return take(f"mail:{digest}", MAIL, now=now) and take(f"mails:{digest}", MAILS_A_DAY, now=now)


def networks(request: HttpRequest) -> tuple[str, str]:
    """Return the network of one customer and the wider one that a request came from, as our outermost proxy saw it."""
    address = address_of(request)
    if address is None:
        return "unknown", "unknown"
    near, wide = (network_of(address, prefix) for prefix in _PREFIXES[address.version])
    return near, wide


def prune(*, now: dt.datetime) -> None:
    """Forget buckets that have long filled up again."""
    Allowance.objects.filter(updated_at__lt=now - _FORGET).delete()


def _digest(name: str) -> str:
    # Keyed, so that the table does not say who was here.
    return salted_hmac("access.early.limits", name, algorithm="sha256").hexdigest()
