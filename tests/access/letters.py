"""What tests of mail share."""

from __future__ import annotations

from access.mail import post
from access.mails import TRIAL

TO = "reader@example.com"


def put(**given: object) -> int | None:
    return post(TRIAL, to=TO, context={}, **given)  # type: ignore[arg-type]
