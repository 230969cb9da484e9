"""Addresses that are not written to, by the keyed hash of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.urls import reverse
from django.utils.crypto import salted_hmac

from access.models import Suppression

if TYPE_CHECKING:
    from django.db.models import QuerySet

# Sent with `digest` and `reason` when an address is newly suppressed, in the same transaction.
suppressed: Final = Signal()
_ADDRESS: Final = "access.mail.address"
_UNSUBSCRIBE: Final = signing.Signer(salt="access.mail.unsubscribe")
_ALL_MAIL: Final = (Suppression.Reason.BOUNCE, Suppression.Reason.COMPLAINT)


def address_digest(address: str) -> str:
    """Return the keyed hash (HMAC-SHA-256) of an address in lower case."""
    return salted_hmac(_ADDRESS, address.strip().lower(), algorithm="sha256").hexdigest()


@transaction.atomic
def suppress(*, digest: str, reason: str) -> bool:
    """Write to an address no more; True where that is new."""
    _, is_new = Suppression.objects.get_or_create(digest=digest, reason=Suppression.Reason(reason))
    if is_new:
        suppressed.send(sender=Suppression, digest=digest, reason=reason)
    return is_new


def resume_letters(*, digest: str) -> None:
    """Write letters again to an address whose owner has asked for them anew."""
    Suppression.objects.filter(digest=digest, reason=Suppression.Reason.UNSUBSCRIBED).delete()


def is_withheld(*, digest: str, is_letter: bool) -> bool:
    """Tell whether an address is to get no letter, or no mail at all."""
    return suppressions(is_letter=is_letter).filter(digest=digest).exists()


def suppressions(*, is_letter: bool) -> QuerySet[Suppression]:
    """Return the rows that keep a mail of this kind from being sent."""
    return Suppression.objects.filter(Q() if is_letter else Q(reason__in=_ALL_MAIL))


def unsubscribe_path(digest: str) -> str:
    """Return the address of the page that ends letters to whoever got them; it works for ever and names nobody."""
    return reverse("access:unsubscribe", args=[_UNSUBSCRIBE.sign(digest)])


def read_unsubscribe(token: str) -> str | None:
    """Return whose letters a link ends, as a digest; None where the link is not ours."""
    try:
        return _UNSUBSCRIBE.unsign(token)
    except signing.BadSignature:
        return None
