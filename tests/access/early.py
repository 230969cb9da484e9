"""What tests of early access share: people at each stage, and the links of their mails."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from access.early import asking, listing, waves
from access.mail import address_digest
from access.models import Mail, Signup, Wave

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

START: Final = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
FORM: Final = "/early-access/"


def ask(address: str, *, now: dt.datetime = START, **data: object) -> None:
    """Take a request in and answer it."""
    asking.take_in(address=address, data=data, is_suspect=False, now=now)
    asking.answer(now=now)


def signup_of(address: str) -> Signup:
    return Signup.objects.get(digest=address_digest(address))


def links(address: str) -> list[str]:
    """Return the paths in the newest mail to an address."""
    mail = Mail.objects.filter(address=address).order_by("-pk").first()
    assert mail is not None
    return [path for path in mail.context.values() if str(path).startswith("/")]


def secret(address: str) -> str:
    """Return the secret of the main link in the newest mail."""
    mail = Mail.objects.filter(address=address).order_by("-pk").first()
    assert mail is not None
    return str(mail.context["link"]).rstrip("/").rpartition("/")[2]


def confirmed(address: str, *, now: dt.datetime = START, **data: object) -> Signup:
    ask(address, now=now, **data)
    signup = listing.confirm(secret=secret(address), now=now)
    assert signup is not None
    return signup


def make_wave(*, size: int = 10, now: dt.datetime = START, approved: bool = True, **terms: object) -> Wave:
    wave = waves.draft(actor_id=1, terms={"name": "first", "size": size, **terms}, now=now)
    if approved:
        count = waves.preview(wave=wave).count
        wave = waves.approve(wave_id=wave.pk, actor_id=1, count=count, reason="it is time", now=now)
    return wave


def invited(address: str, *, now: dt.datetime = START) -> Signup:
    confirmed(address, now=now)
    make_wave(now=now)
    waves.advance(now=now)
    return signup_of(address)


def fields(page: HttpResponse) -> dict[str, str]:
    """Return the hidden fields of a shown form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def fill_in(client: Client, address: str, *, opened: str, **more: str) -> HttpResponse:
    data = {"address": address, "agree": "on", "opened": opened, **more}
    return client.post(FORM, data)  # type: ignore[return-value]
