"""What allauth asks of us: who may sign up, how its mails are sent, what is remembered of a browser."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from access import queries
from access.addresses import address_of
from access.early import gate
from access.forms import NOT_YOURS, TOO_MANY, WRONG, remember_device
from access.mail import post
from access.mails import BY_ALLAUTH
from access.operations import allow_asked_mail

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from access.models import User

# Anyone can have these sent to any address; the last one who is logged in, or knows a password.
_ASKED_BY_STRANGERS: Final = {
    "account/email/password_reset_key",
    "account/email/unknown_account",
    "account/email/account_already_exists",
    "account/email/email_confirmation_signup",
    "account/email/email_confirmation",
}
_LINKS: Final[tuple[str, ...]] = ("activate_url", "password_reset_url")
_TOLD: Final[tuple[str, ...]] = ("from_email", "to_email")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts by invitation, with mails of our own from the outbox."""

    error_messages: Final = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "too_many_login_attempts": TOO_MANY,
        "duplicate_email": "This is your address already.",
        "invalid_or_expired_key": "This link is used or too old. Ask for a new one.",
        "incorrect_code": "This code is not right, or not any more. Take the next one.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let in whom the operator's setting lets in: nobody, who holds an invitation, or everyone."""
        if settings.SIGN_UP == "open":
            return True
        return settings.SIGN_UP == "invited" and self._invited(request) is not None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Take the address of an invitation for verified: its link came by mail."""
        return email.lower() == (self._invited(request) or "").lower() or super().is_email_verified(request, email)

    def clean_email(self, email: str) -> str:
        """Hold a sign-up by invitation to the invited address."""
        invited = self._invited(self.request) if self.request is not None else None
        is_signing_up = invited is not None and self.request.resolver_match.url_name == "account_signup"
        if is_signing_up and settings.SIGN_UP == "invited" and email.lower() != str(invited).lower():
            raise ValidationError(NOT_YOURS)
        return str(email)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:  # noqa: ANN401  # its signature
        """Check a password; an account that is asleep is answered as one that does not exist."""
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:  # noqa: ANN401  # its signature
        """Remember the browser."""
        response: HttpResponse = super().post_login(request, user, **more)
        remember_device(response, user)
        return response

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:  # noqa: ANN401  # its signature
        """Ask again before what is sensitive, of whoever has something to answer with: the operator's link has not."""
        methods = self.get_reauthentication_methods(self.request.user)
        return bool(methods) and bool(super().is_reauthentication_required(app=app, **more))

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return where a request came from, as our proxies saw it."""
        return str(address_of(request) or "0.0.0.0")  # noqa: S104  # unknown; nothing is bound to it

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Post one of our mails; whom strangers have written to has had enough after a few."""
        is_asked = template_prefix in _ASKED_BY_STRANGERS
        if is_asked and not allow_asked_mail(address=email, now=timezone.now()):
            return
        filled = {name: str(context[name]) for name in (*_LINKS, *_TOLD) if name in context}
        paths = {name: urlsplit(filled[name]).path for name in _LINKS if name in filled}
        post(BY_ALLAUTH[template_prefix], to=email, context=filled | paths)

    def _invited(self, request: HttpRequest) -> str | None:
        invitation = gate.held(session=request.session, now=timezone.now())
        return invitation.address if invitation else None


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Check passwords with one look-up and one hash, whether the address is known or not."""

    def get_user(self, user_id: int) -> User | None:
        """Return who a session is of, if their account is awake."""
        user = queries.user_with_preferences(user_id=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        user: User | None = self._check_password(queries.account_at(address=email.lower()), password)
        return user


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors, their secrets encrypted under a key that the database does not hold."""

    def encrypt(self, text: str) -> str:
        """Encrypt what is stored."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Read what was stored."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  # its signature
        """Propose a name for a passkey."""
        return f"Passkey {queries.count_passkeys(user=user, kind=type) + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Say which site a passkey is for: the name under which it was asked for, which Django has checked."""
        return {**super().get_public_key_credential_rp_entity(), "name": "BH Terminal"}


def _box() -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"access.mfa").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
