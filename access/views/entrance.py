"""The pages that allauth runs: its views, our policies, our words and statuses."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from allauth.account import views as accounts
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.db import transaction
from django.forms import BaseForm
from django.utils import timezone

from access.early import gate
from access.operations import spend_code
from access.permissions import View, keep_private, member, public
from access.permissions.tries import by_half_logged_in, counted

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase


_LABELS: Final = {
    "Authenticator code": "Code",
    "Current Password": "Password until now",
    "Email": "E-mail",
    "New Password": "New password",
    "New Password (again)": "New password, again",
    "Passwordless": "Log in with it alone",
}
_HELP: Final = {"Log in with it alone": "Without the password; the device then asks for a finger, a face or a PIN."}
_RULES: Final = "Eight characters or more, none of the well-known ones, and not like your address."


class LoginView(accounts.LoginView):  # type: ignore[misc]  # allauth has no types
    """E-mail and password, or a passkey."""

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form what time it is."""
        return {**super().get_form_kwargs(), "now": timezone.now()}


class SignUpView(accounts.SignupView):  # type: ignore[misc]  # allauth has no types
    """E-mail and password, for who was invited."""

    def get_initial(self) -> dict[str, Any]:
        """Fill in the address that the invitation is for."""
        invitation = gate.held(session=self.request.session, now=timezone.now())
        return {**super().get_initial(), **({"email": invitation.address} if invitation else {})}


class LogoutView(accounts.LogoutView):  # type: ignore[misc]  # allauth has no types
    """Log out by POST; pages seen before leave the browser's cache."""

    http_method_names = ("post", "options")

    def post(self, *args: object, **kwargs: object) -> HttpResponse:
        """Log out."""
        response: HttpResponse = super().post(*args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


class TotpOnView(totp.ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """Codes of an app as a second factor."""

    @transaction.atomic
    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Spend the code that switches it on: nobody logs in with what was good once."""
        response: HttpResponse = super().form_valid(form)
        made = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        spend_code(authenticator=made, code=form.cleaned_data["code"])
        return response


def told(view: View) -> View:
    """Answer a form that was not accepted with 422, one that was sent too often with 429; let no cache keep it.

    Its labels become ours: the answer is not rendered yet.
    """

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = keep_private(view(request, *args, **kwargs))
        shown = (getattr(response, "context_data", None) or {}).values()
        forms = [one for one in shown if isinstance(one, BaseForm)]
        refused = [form for form in forms if form.is_bound and form.errors]
        for form in forms:
            _say_it_our_way(form)
        if request.method == "POST" and response.status_code == HTTPStatus.OK and refused:
            is_limited = any(getattr(form, "is_limited", False) for form in refused)
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS if is_limited else HTTPStatus.UNPROCESSABLE_ENTITY
        return response

    return answered


def _say_it_our_way(form: BaseForm) -> None:
    for name, field in form.fields.items():
        # A field without a label is called by its name.
        label = str(form[name].label)
        field.label = _LABELS.get(label, label)
        # Django lists its rules there; a list fits into no sentence.
        rules = str(field.help_text).startswith("<ul")
        field.help_text = _RULES if rules else _HELP.get(str(field.label), field.help_text)
        field.widget.attrs.pop("placeholder", None)
        # A form that was refused has its fields at hand already, with the words of before.
        form[name].label, form[name].help_text = str(field.label), str(field.help_text)


def for_all(view: View) -> View:
    """Declare a page of allauth that anyone may open."""
    return public(told(view))


def for_members(view: View) -> View:
    """Declare a page of allauth for who is logged in."""
    return member(told(view))


log_in = for_all(LoginView.as_view())
log_out = for_all(LogoutView.as_view())
sign_up = for_all(counted("sign-up", SignUpView.as_view()))
asleep = for_all(accounts.account_inactive)
confirm_sent = for_all(accounts.email_verification_sent)
confirm = for_all(accounts.confirm_email)
reset = for_all(counted("reset", accounts.password_reset))
reset_sent = for_all(accounts.password_reset_done)
reset_key = for_all(counted("new-password", accounts.password_reset_from_key))
reset_done = for_all(accounts.password_reset_from_key_done)
second_factor = for_all(counted("second-factor", factors.authenticate, source=by_half_logged_in))
passkey_log_in = for_all(counted("passkey", passkeys.login_webauthn))

reauthenticate = for_members(counted("again", accounts.reauthenticate))
email = for_members(counted("email", accounts.email))
change_password = for_members(counted("password", accounts.password_change))
set_password = for_members(counted("password", accounts.password_set))
factors_index = for_members(factors.index)
reauthenticate_factor = for_members(counted("second-factor", factors.reauthenticate))
totp_on = for_members(TotpOnView.as_view())
totp_off = for_members(totp.deactivate_totp)
codes_shown = for_members(codes.view_recovery_codes)
codes_made = for_members(codes.generate_recovery_codes)
codes_file = for_members(codes.download_recovery_codes)
passkey_list = for_members(passkeys.list_webauthn)
passkey_add = for_members(passkeys.add_webauthn)
passkey_edit = for_members(passkeys.edit_webauthn)
passkey_remove = for_members(passkeys.remove_webauthn)
reauthenticate_passkey = for_members(passkeys.reauthenticate_webauthn)
session_list = for_members(sessions.list_usersessions)
