"""Early access as its visitors see it. Opening a link changes nothing; buttons do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.early import asking, gate, limits, listing, proof, touches
from access.early.forms import RequestForm, blank_request
from access.permissions import public

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
SENT = "access:early-sent"


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_access(request: HttpRequest) -> HttpResponse:
    """Show the form, or take a request; the answer is the same for every address."""
    now = timezone.now()
    if request.method != "POST":
        return _show(request, blank_request(touch=touches.of_request(request), now=now))
    form = RequestForm(request.POST, auto_id="request_%s")
    if not form.is_valid():
        return _again(request, form, now)
    nets = limits.networks(request)
    if form.cleaned_data["website"] or not limits.may_ask(nets=nets, now=now):
        logger.warning("a request for access was dropped: %s", "trap" if form.cleaned_data["website"] else "limits")
        return redirect(SENT)
    is_calm = limits.is_calm(nets=nets, now=now)
    is_timely = proof.is_timely(form.cleaned_data["opened"], now=now)
    is_proven = not (is_calm and is_timely) and proof.spend(request.POST.get("altcha", ""), now=now)
    if not (is_calm and is_timely) and not is_proven:
        return _again(request, form, now, is_suspect=True, is_calm=is_calm)
    asking.take_in(address=form.cleaned_data["address"], data=form.data_to_keep, is_suspect=is_proven, now=now)
    return redirect(SENT)


def _again(
    request: HttpRequest, form: RequestForm, now: dt.datetime, *, is_suspect: bool = False, is_calm: bool = True
) -> HttpResponse:
    """Show the form with what to change, or with the further step; its clock starts anew."""
    form.data = {**form.data.dict(), "opened": proof.stamp(now=now)}  # type: ignore[attr-defined]  # sent as a form
    extra = {"challenge": proof.challenge(now=now), "is_calm": is_calm} if is_suspect else {}
    return _show(request, form, extra, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _show(
    request: HttpRequest, form: RequestForm, extra: dict[str, object] | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    return render(request, "access/early/request.html", {"form": form, **(extra or {})}, status=status)


@public
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Say the one thing that is said to everyone."""
    return render(request, "access/early/sent.html")


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an address: opening shows a button, the button confirms."""
    if request.method != "POST":
        return render(request, "access/early/confirm.html")
    signup = listing.confirm(secret=token, now=timezone.now())
    if signup is None:
        return _spent(request, "confirm")
    context = {"ahead": listing.about_ahead(signup=signup), "refer": request.build_absolute_uri(f"/?ref={signup.code}")}
    return render(request, "access/early/confirmed.html", context)


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """Take up an invitation: the button leads to the sign-up for the invited address."""
    if request.method != "POST":
        return render(request, "access/early/invite.html")
    if gate.hold(session=request.session, secret=token, now=timezone.now()) is None:
        return _spent(request, "invite")
    return redirect("/signup/")


@public
@never_cache
@require_safe
def yours(request: HttpRequest, token: str) -> HttpResponse:
    """Show the two buttons that a manage link is for."""
    return render(request, "access/early/yours.html", {"token": token})


@public
@never_cache
@require_POST
def export(request: HttpRequest, token: str) -> HttpResponse:
    """Hand out everything that is kept of an address."""
    signup = listing.managed(secret=token, now=timezone.now())
    if signup is None:
        return _spent(request, "yours")
    headers = {"Content-Disposition": 'attachment; filename="early-access.json"'}
    return JsonResponse(listing.export(signup=signup), json_dumps_params={"indent": 2}, headers=headers)


@public
@never_cache
@require_POST
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Delete everything that is kept of an address."""
    if not listing.erase(secret=token, now=timezone.now()):
        return _spent(request, "yours")
    return render(request, "access/early/erased.html")


def _spent(request: HttpRequest, kind: str) -> HttpResponse:
    """Say that a link is used, too old, of another kind, or not ours: which of these is nobody's business."""
    return render(request, "access/early/spent.html", {"kind": kind}, status=HTTPStatus.GONE)
