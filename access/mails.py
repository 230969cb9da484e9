"""The mails that access sends."""

from __future__ import annotations

from typing import Final

from access.mail import declare

TRIAL: Final = declare("access/trial", sample={})

# Answers to a request for early access; only the invitation is a letter, the others answer what was just asked.
_YOURS: Final = "/early-access/yours/…/"
EARLY_CONFIRM: Final = declare("access/early-confirm", sample={"link": "/early-access/confirm/…/", "yours": _YOURS})
EARLY_LISTED: Final = declare("access/early-listed", sample={"ahead": "about 40", "refer": "/?ref=…", "yours": _YOURS})
EARLY_MEMBER: Final = declare("access/early-member", sample={"link": "/login/"})
EARLY_INVITE: Final = declare(
    "access/early-invite", is_letter=True, sample={"link": "/early-access/invite/…/", "yours": _YOURS}
)
EARLY_INVITE_AGAIN: Final = declare(
    "access/early-invite-again", sample={"link": "/early-access/invite/…/", "yours": _YOURS}
)
