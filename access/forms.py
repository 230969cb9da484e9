"""Forms of the account pages."""

from __future__ import annotations

import datetime as dt
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from allauth.account.forms import LoginForm as BaseLoginForm
from allauth.account.forms import SignupForm as BaseSignupForm
from allauth.account.signals import user_signed_up
from allauth.account.utils import has_verified_email
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction

from access.addresses import address_of, network_of
from access.models import ApiKey, Preferences
from access.operations import allow_login_try, forget_login_tries, spend_code
from access.reading import POINT, UTC, list_zones
from access.registry import VENUES

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from access.models import User

PASSWORD_MAX: Final = 1024
DEVICE_COOKIE: Final = "device"
DEVICE_DAYS: Final = 180
_SALT: Final = "access.device"
KEY_LIVES: Final = ((30, "30 days"), (90, "90 days"), (365, "A year"), (0, "Until it is revoked"))
WRONG: Final = "The e-mail address or the password is not right."
NOT_YOURS: Final = "The invitation is for another address: use the one that it was sent to."
TOO_MANY: Final = "Too many tries. Wait a minute, then try again."


class LoginForm(BaseLoginForm):  # type: ignore[misc]  # allauth has no types
    """E-mail and password; tries are counted before the password is hashed."""

    is_limited = False

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:  # noqa: ANN401  # allauth's own arguments
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["login"] = forms.EmailField(
            label="E-mail",
            max_length=254,
            widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "autofocus": True}),
        )
        self.fields["password"] = forms.CharField(
            label="Password",
            strip=False,
            max_length=PASSWORD_MAX,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        )
        self.order_fields(["login", "password"])

    def clean_login(self) -> str:
        """Read addresses as they are stored: in lower case."""
        return str(self.cleaned_data["login"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        """Count the try, then check the password."""
        account = self.cleaned_data.get("login")
        if self.errors or not account:
            return dict(self.cleaned_data)
        device = read_device(self.request, account)
        if not allow_login_try(account=account, address=client_address(self.request), device=device, now=self.now):
            self.is_limited = True
            raise ValidationError(TOO_MANY, code="limited")
        cleaned: dict[str, Any] = super().clean()
        forget_login_tries(account=account)
        return cleaned


class SignUpForm(BaseSignupForm):  # type: ignore[misc]  # allauth has no types
    """E-mail and password; for an address that is known it costs as long as for one that is not."""

    account_already_exists: bool
    cleaned_data: dict[str, Any]

    def try_save(self, request: HttpRequest) -> Any:  # noqa: ANN401  # a user or a response, as allauth has it
        """Make an account in any case: whether it took that long would tell who has one."""
        if self.account_already_exists:
            self._rehearse(request)
        return super().try_save(request)

    def _rehearse(self, request: HttpRequest) -> None:
        """Make an account under an address that nobody has, and undo it."""
        sent = self.cleaned_data
        self.cleaned_data = sent | {"email": f"{secrets.token_hex(8)}@rehearsal.invalid"}
        self.account_already_exists = False
        with transaction.atomic():
            user = self.save(request)
            user_signed_up.send(sender=type(user), request=request, user=user)
            has_verified_email(user)
            transaction.set_rollback(True)
        self.cleaned_data, self.account_already_exists = sent, True


class ApiKeyForm(forms.Form):
    """A name that tells one key from another."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="Where the key is used, so that you know which one to revoke.",
        error_messages={"required": "Give the key a name, for example “notebook”."},
    )
    scopes = forms.MultipleChoiceField(
        label="May use",
        choices=ApiKey.Scope.choices,
        initial=ApiKey.Scope.every,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Nothing chosen: all of it.",
    )
    days = forms.TypedChoiceField(label="Works for", choices=KEY_LIVES, coerce=int, initial=90, required=False)

    def terms(self, *, now: dt.datetime) -> dict[str, Any]:
        """Return what the key is made with: name, scopes, end."""
        days = self.cleaned_data["days"] or 0
        ends_at = now + dt.timedelta(days=days) if days else None
        return {"name": self.cleaned_data["name"], "scopes": self.cleaned_data["scopes"], "expires_at": ends_at}


def _number(label: str, help_text: str, least: str, most: str = "10", places: int = 4) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=Decimal(least),
        max_value=Decimal(most),
        decimal_places=places,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": "Write a number with a point, like 0.5."},
    )


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a person sets for themselves."""

    class Meta:
        model = Preferences
        fields = ("theme", "time_zone", "notation", "account", "risk_pct", "venue", "entry_fee_pct", "exit_fee_pct")

    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        choices=lambda: [(name, name.replace("_", " ")) for name in list_zones()],
        help_text="Of your plans, trades and account. Market data, charts, exports and the chain stay in UTC.",
        error_messages={"invalid_choice": "Choose a time zone of the list."},
    )
    notation = forms.ChoiceField(
        label="Numbers are shown as",
        required=False,
        choices=Preferences.Notation.choices,
        help_text="In your plans, trades and calculators. Numbers are typed with a point, as venues write them.",
    )
    account = _number(
        "Account", "Plans and calculators begin with it. Empty: nothing is filled in.", "0.00000001", "999999999999", 8
    )
    risk_pct = _number(
        "Risk, % of the account", "Plans and calculators begin with it. Empty: nothing is filled in.", "0.01", "100", 2
    )
    venue = forms.ChoiceField(
        label="Venue",
        required=False,
        choices=lambda: [("", "None"), *sorted(VENUES.items(), key=lambda one: one[1].lower())],
        help_text="Calculators list its instruments first and begin with its standard fees.",
        error_messages={"invalid_choice": "Choose a venue of the list, or none."},
    )
    entry_fee_pct = _number("Fee at entry, %", "Yours, where it is not the standard one. A rebate is negative.", "-1")
    exit_fee_pct = _number("Fee at exit, %", "As above. Empty: the venue's standard one.", "-1")

    def clean_time_zone(self) -> str:
        """Take no choice for UTC."""
        return self.cleaned_data["time_zone"] or UTC

    def clean_notation(self) -> str:
        """Take no choice for a point."""
        return self.cleaned_data["notation"] or POINT


class SpentOnce(BaseAuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """A code of an authenticator is good once; allauth remembers that in the cache alone, which may be emptied."""

    def clean_code(self) -> str:
        """Check the code, then spend its time step."""
        code = str(super().clean_code())
        chosen = self.authenticator
        if chosen.type == Authenticator.Type.TOTP and not spend_code(authenticator=chosen, code=code):
            self._emit_authentication_failed(chosen)
            raise get_adapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(SpentOnce, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The second step of a login."""


class SecondFactorAgainForm(SpentOnce, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The second factor once more, before what is sensitive."""


class ErasureForm(forms.Form):
    """The address typed again, so that nobody erases by a slip."""

    email = forms.EmailField(label="Your address, typed again")

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_email(self) -> str:
        """Hold it against the account's address."""
        email = str(self.cleaned_data["email"])
        if email.lower() != self.address:
            raise ValidationError("This is not the address of this account.")
        return email


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
    held = mark_of(request.COOKIES.get(DEVICE_COOKIE, ""))
    return held[1] if held is not None and held[0] == account else None


def mark_of(cookie: str) -> tuple[str, str] | None:
    """Return whose device a cookie names, and its mark; None where we did not sign it or it is too old."""
    try:
        owner, mark = signing.loads(cookie, salt=_SALT, max_age=DEVICE_DAYS * 86400)
    except (signing.BadSignature, ValueError):
        return None
    return str(owner), str(mark)


def set_theme(response: HttpResponse, theme: str) -> None:
    """Let the browser know the theme; without one it goes by the device."""
    if not theme:
        response.delete_cookie("theme")
        return
    response.set_cookie(
        "theme", theme, max_age=DEVICE_DAYS * 86400, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
    )
