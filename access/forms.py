"""Forms of the account pages."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core import signing
from django.core.exceptions import ValidationError

from access.addresses import address_of, network_of
from access.operations import allow_login_try, forget_login_tries

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpRequest, HttpResponse

    from access.models import User

PASSWORD_MAX: Final = 1024
DEVICE_COOKIE: Final = "device"
DEVICE_DAYS: Final = 180
_SALT: Final = "access.device"
WRONG: Final = "The e-mail address or the password is not right."
_MESSAGES: Final[dict[str, Any]] = {"invalid_login": WRONG, "inactive": WRONG}
TOO_MANY: Final = "Too many tries. Wait a minute, then try again."


class LoginForm(AuthenticationForm):
    """E-mail and password; tries are counted before the password is hashed."""

    username = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=PASSWORD_MAX,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    error_messages = _MESSAGES

    is_limited = False

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_username(self) -> str:
        """Read addresses as they are stored: in lower case."""
        return str(self.cleaned_data["username"]).lower()

    def clean(self) -> dict[str, Any]:
        """Count the try, then check the password."""
        account = self.cleaned_data.get("username")
        if account and self.request is not None:
            device = read_device(self.request, account)
            if not allow_login_try(account=account, address=client_address(self.request), device=device, now=self.now):
                self.is_limited = True
                raise ValidationError(TOO_MANY, code="limited")
        cleaned = super().clean()
        if account and self.user_cache is not None:
            forget_login_tries(account=account, now=self.now)
        return cleaned


class ApiKeyForm(forms.Form):
    """A name that tells one key from another."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Where the key is used, so that you know which one to revoke.",
        error_messages={"required": "Give the key a name, for example “notebook”."},
    )


def client_address(request: HttpRequest) -> str:
    """Return the network an attempt came from; of IPv6 the /64 that one customer holds."""
    address = address_of(request)
    if address is None:
        return "unknown"
    return network_of(address, 64) if address.version == 6 else str(address)  # noqa: PLR2004  # the name of the protocol


def remember_device(response: HttpResponse, user: User) -> None:
    """Mark a browser as one that has logged in to this account."""
    mark = signing.dumps([user.email, secrets.token_urlsafe(9)], salt=_SALT)
    response.set_cookie(
        DEVICE_COOKIE,
        mark,
        max_age=DEVICE_DAYS * 86400,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def read_device(request: HttpRequest, account: str) -> str | None:
    """Return the mark of a browser that has logged in to this account before."""
    try:
        owner, mark = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=DEVICE_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return None
    return str(mark) if owner == account else None
