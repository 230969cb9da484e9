"""Requests for access: taken at the door in one and the same way, answered afterwards by one mail each."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from access import mails
from access.early import consents, limits, touches
from access.early.listing import about_ahead
from access.early.tokens import end_live, mint
from access.mail import address_digest, post
from access.models import Ask, Signup, Token, User

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from access.mail import Notice

_ASKS_ANEW: Final = (Signup.State.REQUESTED, Signup.State.LAPSED, Signup.State.DECLINED)
_GMAIL: Final = {"gmail.com", "googlemail.com"}
_DISPOSABLE: Final = {
    "mailinator.com", "guerrillamail.com", "10minutemail.com", "temp-mail.org", "yopmail.com", "trashmail.com",
    "sharklasers.com", "dispostable.com", "getnada.com", "maildrop.cc",
}  # fmt: skip
_CODE_BYTES: Final = 8


def take_in(*, address: str, data: Mapping[str, Any], is_suspect: bool, now: dt.datetime) -> None:
    """Keep a request: one row, whoever it is from."""
    Ask.objects.create(address=address, data=dict(data), is_suspect=is_suspect, asked_at=now)


def answer(*, now: dt.datetime, most: int = 100) -> int:
    """Answer what was asked, each in a transaction of its own; return how many."""
    answered = 0
    while answered < most:
        with transaction.atomic():
            ask = Ask.objects.select_for_update(skip_locked=True).order_by("pk").first()
            if ask is None:
                break
            _answer(ask, now)
            ask.delete()
        answered += 1
    return answered


def _answer(ask: Ask, now: dt.datetime) -> None:
    """Send the one mail that fits; how many an address gets does not depend on which."""
    digest = address_digest(ask.address)
    is_member = User.objects.filter(email__iexact=ask.address).exists()
    signup = None if is_member else _signup_of(ask, digest, now)
    if not limits.may_mail(digest=digest, now=now):
        return
    if signup is None:
        post(mails.EARLY_MEMBER, to=ask.address, context={"link": "/login/"})
        return
    notice, context = _reply(signup, now)
    context["yours"] = f"/early-access/yours/{mint(signup=signup, purpose=Token.Purpose.MANAGE, now=now)}/"
    post(notice, to=signup.address, context=context)


def _reply(signup: Signup, now: dt.datetime) -> tuple[Notice, dict[str, Any]]:
    if signup.state in _ASKS_ANEW or signup.stop:
        secret = mint(signup=signup, purpose=Token.Purpose.CONFIRM, now=now)
        return mails.EARLY_CONFIRM, {"link": f"/early-access/confirm/{secret}/"}
    if signup.state == Signup.State.INVITED:
        old = Token.objects.filter(signup=signup, purpose=Token.Purpose.INVITE, used_at=None, end="").first()
        ends_at = old.expires_at if old else None
        secret = mint(signup=signup, purpose=Token.Purpose.INVITE, now=now, expires_at=ends_at)
        return mails.EARLY_INVITE_AGAIN, {"link": f"/early-access/invite/{secret}/"}
    return mails.EARLY_LISTED, {"ahead": about_ahead(signup=signup), "refer": f"/?ref={signup.code}"}


def _signup_of(ask: Ask, digest: str, now: dt.datetime) -> Signup:
    """Return the row of an address; a new one is made of the form, an old one takes nothing over from a stranger."""
    signup = Signup.objects.select_for_update().filter(digest=digest).first()
    touch = dict(ask.data.get("touch", {}))
    if signup is not None:
        is_open = signup.state in _ASKS_ANEW or bool(signup.stop)
        if is_open:
            signup.last_touch = touch
            signup.save(update_fields=["last_touch"])
            consents.note_asked(signup=signup, wants_letter=bool(ask.data.get("letter")), now=now)
        return signup
    signup = Signup.objects.create(
        address=ask.address,
        digest=digest,
        alias_digest=_alias_digest(ask.address),
        note=str(ask.data.get("note", ""))[:500],
        source=touches.source_of(touch)[:60],
        first_touch=touch,
        last_touch=touch,
        code=secrets.token_urlsafe(_CODE_BYTES),
        referrer=_referrer(touch, ask.address),
        priority=int(ask.data.get("priority", 0)),
        is_suspect=ask.is_suspect or ask.address.rpartition("@")[2].lower() in _DISPOSABLE,
        requested_at=now,
    )
    consents.note_asked(signup=signup, wants_letter=bool(ask.data.get("letter")), now=now)
    return signup


def _referrer(touch: Mapping[str, str], address: str) -> Signup | None:
    """Return who referred them: somebody else who has confirmed, under whatever alias."""
    found = Signup.objects.filter(code=touch.get(touches.REFERRAL, ""), confirmed_at__isnull=False).first()
    return found if found is not None and found.alias_digest != _alias_digest(address) else None


def _alias_digest(address: str) -> str:
    local, _, domain = address.strip().lower().rpartition("@")
    local = re.sub(r"\+.*$", "", local)
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return salted_hmac("access.early.alias", f"{local}@{domain}", algorithm="sha256").hexdigest()


def withdraw(*, digest: str, reason: str) -> None:
    """Note that an address wants, or takes, no letters: its invitation ends, its place in the list is given up."""
    signup = Signup.objects.select_for_update().filter(digest=digest).first()
    if signup is None:
        return
    signup.stop = Signup.Stop(reason)
    if signup.state in {Signup.State.INVITED, Signup.State.CONFIRMED}:
        signup.state = Signup.State.DECLINED
    end_live(signup=signup, purpose=Token.Purpose.INVITE, end=Token.End.REVOKED)
    signup.save(update_fields=["stop", "state"])
