"""Who may pass a route. Every view of every room declares exactly one policy; a test walks all routes."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from access.operations import authenticate_key
from access.queries import has_second_factor, preferences_of
from access.reading import name_reader

if TYPE_CHECKING:
    from rest_framework.request import Request

    from access.models import ApiKey, User

View = Callable[..., HttpResponseBase]
PUBLIC: Final = "public"
MEMBER: Final = "member"
STAFF: Final = "staff"
OPERATOR: Final = "operator"
MACHINE: Final = "machine"
BEARER: Final = "bearer"


def public(view: View) -> View:
    """Let anyone in."""
    return _with_policy(login_not_required(view), PUBLIC)


def member(view: View) -> View:
    """Let in who is logged in; nothing that a member sees is stored by a cache."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _ask_to_log_in(request)
        name_reader_of(request)
        return keep_private(view(request, *args, **kwargs))

    # The guard above answers in place of the middleware, which knows nothing of htmx.
    return _with_policy(login_not_required(guarded), MEMBER)


def staff(view: View) -> View:
    """Let in staff; to everyone else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not (request.user.is_authenticated and request.user.is_staff):
            raise Http404
        name_reader_of(request)
        return _ask_for_second_factor(request) or keep_private(view(request, *args, **kwargs))

    return _with_policy(login_not_required(guarded), STAFF)


def operator(view: View) -> View:
    """Let in who may do everything; to everyone else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not (request.user.is_authenticated and request.user.is_superuser):
            raise Http404
        name_reader_of(request)
        return _ask_for_second_factor(request) or keep_private(view(request, *args, **kwargs))

    return _with_policy(login_not_required(guarded), OPERATOR)


def machine(view: View) -> View:
    """Let in programs on this machine, and who shows the metrics' token; to everyone else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not (_is_local(request) or _shows_token(request)):
            raise Http404
        return keep_private(view(request, *args, **kwargs))

    return _with_policy(login_not_required(guarded), MACHINE)


def _is_local(request: HttpRequest) -> bool:
    """Tell whether a request was made here; what a proxy hands on was not, wherever the proxy stands."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    token = settings.METRICS_TOKEN
    return bool(token) and scheme.lower() == BEARER and compare_digest(secret.strip().encode(), token.encode())


def _with_policy(view: View, policy: str) -> View:
    view.policy = policy  # type: ignore[attr-defined]  # a function carries its policy to the route test
    return view


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "")
    # A login page swapped into a panel would be a trap: the whole page has to move.
    return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("account_login")})


def _ask_for_second_factor(request: HttpRequest) -> HttpResponseBase | None:
    """Lead staff without a second factor to where they get one, where staff need one; who has one gave it at login."""
    if not settings.STAFF_NEEDS_SECOND_FACTOR or has_second_factor(user=cast("User", request.user)):
        return None
    return redirect("mfa_index")


def name_reader_of(request: HttpRequest) -> None:
    """Write times and numbers as who is logged in has set them, until the request is over."""
    if request.user.is_authenticated:
        own = preferences_of(user=request.user)
        name_reader(zone=own.time_zone, notation=own.notation)


def keep_private(response: HttpResponseBase) -> HttpResponseBase:
    """Let no cache store an answer, unless the view has said otherwise."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer bh_…`` for programs."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return the key's owner, None without such a header, or refuse."""
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != BEARER:
            return None
        key = authenticate_key(secret=secret.strip(), now=timezone.now())
        if key is None:
            raise AuthenticationFailed("This API key is unknown or revoked. Create one on the account page.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # the signature is DRF's
        """Make a refusal a 401 that names the scheme."""
        return "Bearer"
