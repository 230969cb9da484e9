"""What the owner of an address does with their place: confirm it, look at it, take it along, give it up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from access.early import consents, limits, proof, tokens
from access.mail import forget, resume_letters
from access.models import Act, Ask, Consent, Signup, Tally, Token

if TYPE_CHECKING:
    from django.db.models import QuerySet

UNCONFIRMED_LIFE: Final = dt.timedelta(days=14)
_TOKEN_LIFE: Final = dt.timedelta(days=30)
_CREDIT_MOST: Final = 5
_STEPS: Final = ("requested", "confirmed", "invited", "accepted")
_FEW: Final = 10
_MANY: Final = 100


@transaction.atomic
def confirm(*, secret: str, now: dt.datetime) -> Signup | None:
    """Spend a confirm link; None where it is used, too old, of another kind, or not ours."""
    token = tokens.find(secret=secret, purpose=Token.Purpose.CONFIRM, now=now)
    if token is None or not tokens.spend(token=token, now=now):
        return None
    signup = Signup.objects.select_for_update().get(pk=token.signup_id)
    is_first = signup.confirmed_at is None
    signup.state, signup.stop, signup.confirmed_at = Signup.State.CONFIRMED, Signup.Stop.NONE, now
    signup.save(update_fields=["state", "stop", "confirmed_at"])
    consents.note_confirmed(signup=signup, now=now)
    resume_letters(digest=signup.digest)
    if is_first and signup.referrer_id:
        credited = Signup.objects.filter(pk=signup.referrer_id, confirmed_at__isnull=False)
        credited.update(credit=Least(F("credit") + 1, _CREDIT_MOST))
    return signup


def about_ahead(*, signup: Signup) -> str:
    """Say about how many wait before this one; nobody's exact place is told."""
    rank = signup.priority + signup.credit
    before = Q(rank__gt=rank) | Q(rank=rank, confirmed_at__lt=signup.confirmed_at)
    count = waiting().annotate(rank=F("priority") + F("credit")).filter(before).count()
    if count < _FEW:
        return f"fewer than {_FEW}"
    step = _FEW if count < _MANY else _MANY
    return f"about {round(count / step) * step:,}"


def waiting() -> QuerySet[Signup]:
    """Return who may be invited: confirmed, and not stopped."""
    return Signup.objects.filter(state=Signup.State.CONFIRMED, stop="")


def managed(*, secret: str, now: dt.datetime) -> Signup | None:
    """Return whose row a manage link is for."""
    token = tokens.find(secret=secret, purpose=Token.Purpose.MANAGE, now=now)
    return token.signup if token else None


def export(*, signup: Signup) -> dict[str, Any]:
    """Return everything that is kept of a signup, as JSON can hold it."""
    names = (
        "address", "state", "stop", "note", "source", "first_touch", "last_touch", "code", "credit", "priority",
        "requested_at", "confirmed_at", "invited_at", "accepted_at",
    )  # fmt: skip
    agreed = Consent.objects.filter(signup=signup).order_by("at", "pk")
    return {
        **{name: getattr(signup, name) for name in names},
        "referred_by_somebody": signup.referrer_id is not None,
        "consents": list(agreed.values("purpose", "act", "text", "version", "form", "source", "at")),
        "links": list(signup.tokens.order_by("pk").values("purpose", "created_at", "expires_at", "used_at", "end")),
    }


@transaction.atomic
def erase(*, secret: str, now: dt.datetime) -> bool:
    """Delete the row that a manage link is for, with every mail to it; numbers without a name stay."""
    token = tokens.find(secret=secret, purpose=Token.Purpose.MANAGE, now=now)
    if token is None or not tokens.spend(token=token, now=now):
        return False
    _erase(token.signup)
    return True


@transaction.atomic
def forget_address(*, address: str) -> None:
    """Delete what early access keeps of an address, for the erasure of an account."""
    signup = Signup.objects.filter(address__iexact=address).first()
    if signup is not None:
        _erase(signup)
    Ask.objects.filter(address__iexact=address).delete()


def _erase(signup: Signup) -> None:
    _count(signup)
    Ask.objects.filter(address__iexact=signup.address).delete()
    forget(address=signup.address)
    signup.delete()


def _count(signup: Signup) -> None:
    """Keep that somebody had come so far."""
    for step in _STEPS:
        if getattr(signup, f"{step}_at"):
            row, _ = Tally.objects.get_or_create(source=signup.source, step=step)
            Tally.objects.filter(pk=row.pk).update(count=F("count") + 1)


@transaction.atomic
def keep_house(*, now: dt.datetime) -> None:
    """Let go of what was never confirmed, end invitations that ran out, and forget spent links, limits and proofs."""
    for signup in Signup.objects.filter(state=Signup.State.REQUESTED, requested_at__lt=now - UNCONFIRMED_LIFE):
        _erase(signup)
    _lapse(now)
    ended = ~Q(end="") | Q(used_at__isnull=False) | Q(expires_at__lt=now)
    Token.objects.filter(ended, created_at__lt=now - _TOKEN_LIFE).delete()
    limits.prune(now=now)
    proof.prune(now=now)


def _lapse(now: dt.datetime) -> None:
    """End invitations that ran out: their seats flow back."""
    out = Token.objects.filter(purpose=Token.Purpose.INVITE, used_at=None, end="", expires_at__lte=now)
    keys = list(out.values_list("signup_id", flat=True))
    if not keys:
        return
    out.update(end=Token.End.EXPIRED)
    Signup.objects.filter(pk__in=keys, state=Signup.State.INVITED).update(state=Signup.State.LAPSED)
    Act.objects.create(kind="invitations lapsed", subject="early access", after={"seats": len(keys)}, at=now)
