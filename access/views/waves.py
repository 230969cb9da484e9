"""The operator's page of early access: the funnel, the list, waves in two steps, CSV, and what was done."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.early import funnel, sheets, waves
from access.early.forms import ApproveForm, ReasonForm, SheetForm, WaveForm
from access.models import Signup, Wave
from access.permissions import staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms
    from django.http import HttpRequest, HttpResponse

    from access.models import User

PAGE = "access:early-operator"
_STEPS: dict[str, Callable[..., Wave]] = {"pause": waves.pause, "resume": waves.resume, "stop": waves.stop}


@staff
@require_safe
def operator(request: HttpRequest) -> HttpResponse:
    """Show it all."""
    return _page(request)


def _page(request: HttpRequest, status: int = HTTPStatus.OK, **given: forms.Form) -> HttpResponse:
    state, source = (request.GET.get(name, "").replace("\x00", "") for name in ("state", "source"))
    context = {
        "pictures": (funnel.read_funnel(), funnel.read_sources()),
        "signups": funnel.list_signups(state=state, source=source),
        "states": Signup.State.choices,
        "state": state,
        "source": source,
        "waves": funnel.list_waves(),
        "acts": funnel.list_acts(),
        "wave_form": WaveForm(auto_id="wave_%s"),
        "sheet_form": SheetForm(auto_id="sheet_%s"),
        "export_form": ReasonForm(auto_id="export_%s"),
        **given,
    }
    return render(request, "access/early/operator.html", context, status=status)


@staff
@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Write a wave down; nothing goes out."""
    form = WaveForm(request.POST, auto_id="wave_%s")
    if not form.is_valid():
        return _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, wave_form=form)
    terms = {name: form.cleaned_data[name] for name in ("name", "size", "pick", "due_at")} | {"only": form.only}
    wave = waves.draft(actor_id=_actor(request), terms=terms, now=timezone.now())
    return redirect("access:early-wave", wave.pk)


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def wave(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whom a wave would invite, without inviting anyone; the POST with the typed number approves it."""
    found = Wave.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    form = ApproveForm(request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid() and _approve(request, found, form):
            return redirect("access:early-wave", pk)
    found.refresh_from_db()
    context = {
        "wave": found,
        "preview": waves.preview(wave=found),
        "delivery": waves.delivery(wave=found),
        "form": form,
        "reason_form": ReasonForm(auto_id="step_%s"),
    }
    return render(request, "access/early/wave.html", context, status=status)


def _approve(request: HttpRequest, found: Wave, form: ApproveForm) -> bool:
    try:
        waves.approve(wave_id=found.pk, actor_id=_actor(request), now=timezone.now(), **form.cleaned_data)
    except waves.WaveError as refusal:
        form.add_error("count", str(refusal))
        return False
    return True


@staff
@require_POST
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Pause a wave, go on with it, or stop it, with a reason."""
    form = ReasonForm(request.POST)
    if name not in _STEPS or not Wave.objects.filter(pk=pk).exists():
        raise Http404
    if not form.is_valid():
        messages.error(request, "Nothing was done: say why, it is kept.")
        return redirect("access:early-wave", pk)
    try:
        _STEPS[name](wave_id=pk, actor_id=_actor(request), reason=form.cleaned_data["reason"], now=timezone.now())
    except waves.WaveError as refusal:
        messages.error(request, str(refusal))
    return redirect("access:early-wave", pk)


@staff
@require_POST
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Hand out the list as CSV; that it was taken is kept."""
    form = ReasonForm(request.POST, auto_id="export_%s")
    if not form.is_valid():
        return _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, export_form=form)
    lines = sheets.write(actor_id=_actor(request), reason=form.cleaned_data["reason"], now=timezone.now())
    headers = {"Content-Disposition": 'attachment; filename="early-access.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@staff
@require_POST
def import_sheet(request: HttpRequest) -> HttpResponse:
    """Take addresses in; each is asked to confirm."""
    form = SheetForm(request.POST, request.FILES, auto_id="sheet_%s")
    if form.is_valid():
        content = form.cleaned_data["sheet"].read(sheets.BYTES_MOST + 1)
        reason = form.cleaned_data["reason"]
        try:
            count = sheets.read(content=content, actor_id=_actor(request), reason=reason, now=timezone.now())
        except sheets.SheetError as refusal:
            form.add_error("sheet", str(refusal))
        else:
            messages.success(request, f"{count} addresses are being asked to confirm.")
            return redirect(PAGE)
    return _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, sheet_form=form)


def _actor(request: HttpRequest) -> int:
    return int(cast("User", request.user).pk)
