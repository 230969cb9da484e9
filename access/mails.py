"""The mails that access sends."""

from __future__ import annotations

from typing import Final

from access.mail import Notice, declare

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
_CHANGE: Final = {"from_email": "old@example.com", "to_email": "new@example.com"}

# By the names that allauth has for its mails.
BY_ALLAUTH: Final[dict[str, Notice]] = {
    "account/email/email_confirmation": declare("access/confirm", sample={"activate_url": "/confirm/…/"}),
    "account/email/email_confirmation_signup": declare("access/welcome", sample={"activate_url": "/confirm/…/"}),
    "account/email/account_already_exists": declare("access/known", sample={"password_reset_url": "/reset/"}),
    "account/email/unknown_account": declare("access/unknown", sample={}),
    "account/email/password_reset_key": declare("access/reset", sample={"password_reset_url": "/reset/…/"}),
    "account/email/password_reset": declare("access/password-reset", sample={}),
    "account/email/password_changed": declare("access/password-changed", sample={}),
    "account/email/password_set": declare("access/password-set", sample={}),
    "account/email/email_changed": declare("access/email-changed", sample=_CHANGE),
    "account/email/email_confirm": declare("access/email-confirmed", sample={}),
    "account/email/email_deleted": declare("access/email-removed", sample={}),
    "mfa/email/totp_activated": declare("access/totp-on", sample={}),
    "mfa/email/totp_deactivated": declare("access/totp-off", sample={}),
    "mfa/email/recovery_codes_generated": declare("access/codes-made", sample={}),
    "mfa/email/webauthn_added": declare("access/passkey-added", sample={}),
    "mfa/email/webauthn_removed": declare("access/passkey-removed", sample={}),
}
