"""Pages about mail: the local outbox, what each mail looks like, and the end of letters."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from access import queries
from access.mail import post, suppression
from access.mail.notices import NOTICES
from access.mail.rendering import Rendered
from access.mail.rendering import render as render_notice
from access.mails import TRIAL
from access.models import Suppression
from access.permissions import operator, public

if TYPE_CHECKING:
    from access.models import LocalMail, User


@operator
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """List the mails that stayed here."""
    _require_local()
    return render(request, "access/outbox.html", {"mails": queries.list_local_mail()})


@operator
@require_safe
def outbox_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one of them as text."""
    return render(request, "access/outbox_mail.html", {"mail": _local(pk)})


@operator
@require_safe
def outbox_html(request: HttpRequest, pk: int) -> HttpResponse:  # noqa: ARG001  # Django's signature
    """Show one of them as HTML."""
    return HttpResponse(_local(pk).html)


@operator
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """List every mail that this product sends; a POST sends the operator one to try the way out."""
    if request.method == "POST":
        post(TRIAL, to=cast("User", request.user).email, context={})
        messages.success(request, "The trial mail is in the outbox and goes out within seconds.")
        return redirect("access:notices")
    return render(request, "access/notices.html", {"notices": sorted(NOTICES.items())})


@operator
@require_safe
def notice(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a mail looks like, as text or as HTML, filled with its sample."""
    rendered = _preview(slug)
    if "html" in request.GET:
        return HttpResponse(rendered.html)
    return render(request, "access/notice.html", {"slug": slug, "mail": rendered})


@public
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End letters: opening the page changes nothing; a POST does, by the button or by a mail program (RFC 8058)."""
    digest = suppression.read_unsubscribe(token)
    if digest is None:
        return render(request, "access/unsubscribe.html", {"is_wrong": True}, status=HTTPStatus.GONE)
    if request.method == "POST":
        suppression.suppress(digest=digest, reason=Suppression.Reason.UNSUBSCRIBED)
    return render(request, "access/unsubscribe.html", {"is_done": request.method == "POST"})


def _require_local() -> None:
    if not settings.MAIL_IS_LOCAL:
        raise Http404


def _local(pk: int) -> LocalMail:
    _require_local()
    mail = queries.get_local_mail(pk=pk)
    if mail is None:
        raise Http404
    return mail


def _preview(slug: str) -> Rendered:
    found = NOTICES.get(slug)
    if found is None:
        raise Http404
    return render_notice(found, context=found.sample, unsubscribe="/unsubscribe/…/" if found.is_letter else "")
