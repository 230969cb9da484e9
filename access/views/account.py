"""Pages of the account: the operator's link, API keys, preferences, everything as a file, erasure."""

from __future__ import annotations

import json
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, cast
from zipfile import ZIP_DEFLATED, ZipFile

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.usersessions.models import UserSession
from django.contrib.auth import login, logout
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import operations, queries
from access.forms import ApiKeyForm, ErasureForm, PreferencesForm, remember_device, set_theme
from access.permissions import member, public

if TYPE_CHECKING:
    from access.models import User


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
    login(request, user)
    # Logins by allauth do both; this one is ours.
    UserSession.objects.create_from_request(request)
    record_authentication(request, user, method="link")
    response = redirect("heatmaps:instruments")
    remember_device(response, user)
    return response


@member
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the account and its API keys; a POST makes a key and shows its secret this once."""
    user = cast("User", request.user)
    form = ApiKeyForm(_sent(request))
    secret, status = None, HTTPStatus.OK
    if request.method == "POST":
        secret = _create_key(form, user)
        status = HTTPStatus.CREATED if secret else HTTPStatus.UNPROCESSABLE_ENTITY
        form = ApiKeyForm() if secret else form
    keys = queries.list_api_keys(user=user)
    shown = {"form": form, "secret": secret, "keys": keys, "now": timezone.now()}
    return render(request, "access/account.html", shown, status=status)


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _create_key(form: ApiKeyForm, user: User) -> str | None:
    if not form.is_valid():
        return None
    try:
        return operations.create_api_key(user=user, **form.terms(now=timezone.now()))[1]
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


@member
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show and keep what a person sets for themselves; the theme is a cookie, so that each page has it at once."""
    user = cast("User", request.user)
    form = PreferencesForm(_sent(request), instance=queries.preferences_of(user=user))
    if request.method != "POST" or not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        return render(request, "access/preferences.html", {"form": form}, status=status)
    operations.keep_preferences(user=user, **form.cleaned_data)
    response = redirect("access:account")
    set_theme(response, form.cleaned_data["theme"])
    return response


@member
@require_safe
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def export(request: HttpRequest) -> HttpResponse:
    """Hand out everything that is kept of a person: one JSON file for each kind, in a zip."""
    kept = queries.everything_of(user=cast("User", request.user))
    body = BytesIO()
    with ZipFile(body, "w", ZIP_DEFLATED) as bundle:
        for slug, rows in kept.items():
            bundle.writestr(f"{slug}.json", json.dumps(rows, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
    headers = {"Content-Disposition": 'attachment; filename="bh-terminal.zip"'}
    return HttpResponse(body.getvalue(), content_type="application/zip", headers=headers)


@member
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no types
def erase(request: HttpRequest) -> HttpResponse:
    """Erase the account with everything that is its owner's, once the address was typed again."""
    user = cast("User", request.user)
    form = ErasureForm(_sent(request), address=user.email)
    if request.method != "POST" or not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        return render(request, "access/erase.html", {"form": form}, status=status)
    operations.erase_account(user_id=user.pk)
    logout(request)
    response = render(request, "access/erased.html")
    response.headers["Clear-Site-Data"] = '"*"'
    return response
