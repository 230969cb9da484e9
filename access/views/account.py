"""Pages of the account: log in, log out, the operator's link, API keys."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import login
from django.contrib.auth.views import LoginView as BaseLoginView
from django.contrib.auth.views import LogoutView as BaseLogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from access import operations, queries
from access.forms import ApiKeyForm, LoginForm, remember_device
from access.permissions import member, public

if TYPE_CHECKING:
    from access.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


class LoginView(BaseLoginView):
    """E-mail and password."""

    template_name = "access/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form what time it is."""
        return {**super().get_form_kwargs(), "now": timezone.now()}

    def form_valid(self, form: LoginForm) -> HttpResponse:  # type: ignore[override]  # the form is ours
        """Log in and remember the browser."""
        response = super().form_valid(form)
        remember_device(response, form.get_user())
        return response

    def form_invalid(self, form: LoginForm) -> HttpResponse:  # type: ignore[override]  # the form is ours
        """Show the form again with the reason."""
        limited, wrong = HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNPROCESSABLE_ENTITY
        return self.render_to_response(self.get_context_data(form=form), status=limited if form.is_limited else wrong)


class LogoutView(BaseLogoutView):
    """Log out by POST; pages seen before leave the browser's cache."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Log out."""
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


log_in = public(LoginView.as_view())
log_out = public(LogoutView.as_view())


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Spend a one-time link: opening it shows a button and changes nothing, the button logs in."""
    if request.method != "POST":
        return render(request, "access/enter.html")
    user = operations.use_login_link(token=token, now=timezone.now())
    if user is None:
        return render(request, "access/enter.html", {"is_spent": True}, status=HTTPStatus.GONE)
    login(request, user, backend=BACKEND)
    response = redirect("heatmaps:instruments")
    remember_device(response, user)
    return response


@member
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the account and its API keys; a POST makes a key and shows its secret this once."""
    user = cast("User", request.user)
    form = ApiKeyForm(request.POST if request.method == "POST" else None)
    secret, status = None, HTTPStatus.OK
    if request.method == "POST":
        secret = _create_key(form, user)
        status = HTTPStatus.CREATED if secret else HTTPStatus.UNPROCESSABLE_ENTITY
        form = ApiKeyForm() if secret else form
    keys = queries.list_api_keys(user=user)
    return render(request, "access/account.html", {"form": form, "secret": secret, "keys": keys}, status=status)


def _create_key(form: ApiKeyForm, user: User) -> str | None:
    if not form.is_valid():
        return None
    try:
        return operations.create_api_key(user=user, name=form.cleaned_data["name"])[1]
    except operations.TooManyKeysError as refusal:
        form.add_error("name", str(refusal))
        return None


@member
@require_POST
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Stop one of the user's own keys."""
    if not operations.revoke_api_key(user=cast("User", request.user), key_id=key_id, now=timezone.now()):
        raise Http404
    return redirect("access:account")
