"""Pages on which a plan is written: the form, its checks, its figures, and what is kept of it on the way."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from access.permissions import member
from access.queries import first_terms
from heatmaps import queries as heatmap_queries
from journal import operations, queries
from journal.forms import PlanForm, initial_of, suggest
from journal.pages.evidence import describe_layers
from journal.pages.terms import describe_exposure
from journal.pages.words import band_text, digits_of, estimate_text, number_text
from journal.views.shared import (
    NUMBER_DIGITS,
    SAFE_OR_POST,
    WRONG,
    asked_number,
    asked_zone,
    own_plan,
    owner_of,
    sent,
)

if TYPE_CHECKING:
    import datetime as dt

    from access.models import User
    from journal.models import Plan

_AS_TERM: Final = {"account": "equity"}
_NOT_TYPED: Final = frozenset({"csrfmiddlewaretoken", "request_key"})


@member
@require_http_methods(SAFE_OR_POST)
def new_plan(request: HttpRequest) -> HttpResponse:
    """Write a draft that starts from a zone, or from what was kept of it."""
    zone, now, owner_id = asked_zone(request), timezone.now(), owner_of(request)
    own = first_terms(user=cast("User", request.user))
    given = {_AS_TERM.get(name, name): value for name, value in own.items()} | request.GET.dict()
    form = _form(request, zone=zone, now=now, initial=suggest(zone=zone, now=now, given=given))
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.create_draft(
                owner_id=owner_id,
                zone_id=zone.pk,
                terms=form.terms(),
                request_key=form.cleaned_data["request_key"],
                now=now,
            )
        except operations.SentBeforeError as refusal:
            form.sent_again(refusal.label)
        else:
            operations.drop_unfinished(owner_id=owner_id, zone_id=zone.pk, plan_number=0)
            return redirect("journal:plan", number=made.number)
    return _show_form(request, form, zone, now)


@member
@require_http_methods(SAFE_OR_POST)
def edit_plan(request: HttpRequest, number: int) -> HttpResponse:
    """Change a draft; an armed plan leads back to its page."""
    found, now, owner_id = own_plan(request, number), timezone.now(), owner_of(request)
    if found.armed_at is not None:
        return _refuse_change(request, found)
    form = _form(request, zone=found.zone, now=now, initial=initial_of(found), number=number)
    if request.method == "POST" and form.is_valid():
        try:
            operations.update_draft(owner_id=owner_id, number=number, terms=form.terms(), now=now)
        except operations.ArmedError:  # in another tab, just now
            return _refuse_change(request, found)
        operations.drop_unfinished(owner_id=owner_id, zone_id=found.zone_id, plan_number=number)
        return redirect("journal:plan", number=number)
    return _show_form(request, form, found.zone, now, plan=found)


@member
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Return one field as the whole form sees it, with 422 when something is wrong with it."""
    name = request.GET.get("field", "")
    if name not in PlanForm.base_fields or name == "request_key":
        raise Http404
    form = PlanForm(
        request.POST, now=timezone.now(), zones=_siblings(asked_zone(request)) if name == "more_zones" else ()
    )
    form.is_valid()
    field = form[name]
    status = WRONG if field.errors else HTTPStatus.OK
    return render(request, "journal/partials/checked_field.html", {"field": field}, status=status)


@member
@require_POST
def figures(request: HttpRequest) -> HttpResponse:
    """Return what a form as it stands would cost and pay."""
    zone = asked_zone(request)
    form = PlanForm(request.POST, now=timezone.now(), zones=_siblings(zone))
    form.is_valid()
    return render(request, "journal/partials/figures.html", _figures(zone, form.cleaned_data))


@member
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep a form as it was typed, right or not."""
    zone, now = asked_zone(request), timezone.now()
    typed = {name: request.POST.getlist(name) for name in PlanForm.base_fields if name not in _NOT_TYPED}
    number = asked_number(request, "plan", NUMBER_DIGITS) or 0
    is_kept = operations.keep_unfinished(
        owner_id=owner_of(request), zone_id=zone.pk, plan_number=number, fields=typed, now=now
    )
    return render(request, "journal/partials/kept.html", {"kept_at": now if is_kept else None})


@member
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Give up what was kept and start afresh."""
    zone, number = asked_zone(request), asked_number(request, "plan", NUMBER_DIGITS) or 0
    operations.drop_unfinished(owner_id=owner_of(request), zone_id=zone.pk, plan_number=number)
    if number:
        return redirect("journal:plan-edit", number=number)
    response = redirect("journal:plan-new")
    response["Location"] += f"?zone={zone.pk}"
    return response


def _form(
    request: HttpRequest,
    *,
    zone: Any,  # noqa: ANN401  # another room's row
    now: dt.datetime,
    initial: dict[str, Any],
    number: int = 0,
) -> PlanForm:
    """Return the form as it was sent, else as it was left, else as it begins."""
    given, kept_at = sent(request), None
    kept = None if given is not None else queries.get_unfinished(
        owner_id=owner_of(request), zone_id=zone.pk, plan_number=number
    )  # fmt: skip
    if kept:
        known = PlanForm.base_fields.keys() & kept.fields.keys()
        initial = initial | {
            name: kept.fields[name] if name == "more_zones" else (kept.fields[name] or [""])[-1] for name in known
        }
        kept_at = kept.saved_at
    form = PlanForm(given, initial=initial, now=now, zones=_siblings(zone))
    form.kept_at = kept_at
    return form


def _siblings(zone: Any) -> list[Any]:  # noqa: ANN401  # another room's row
    """Return the other living zones of the same map."""
    found = heatmap_queries.list_zones(heatmap=zone.heatmap, limit=40)
    for one in found:
        one.heatmap = zone.heatmap
    return [one for one in found if one.pk != zone.pk and one.is_alive]


def _refuse_change(request: HttpRequest, found: Plan) -> HttpResponse:
    messages.error(request, f"{found.label} is armed and can not be changed.")
    return redirect("journal:plan", number=found.number)


def _show_form(
    request: HttpRequest,
    form: PlanForm,
    zone: Any,  # noqa: ANN401  # another room's row
    now: dt.datetime,
    plan: Plan | None = None,
) -> HttpResponse:
    instrument = zone.heatmap.instrument
    market = queries.read_market(instrument=instrument, now=now)
    last = market["last_price"]
    context = {
        "form": form,
        "plan": plan,
        "zone": zone,
        "zone_prices": band_text(zone),
        "estimate": estimate_text(zone),
        "last_price": number_text(str(last) if last else None, digits_of(instrument.tick_size)),
        "is_stale": market["is_stale"],
        "layers": describe_layers(heatmap_queries.layer_evidence(instrument=instrument, at=now)),
        "where": f"zone={zone.pk}" + (f"&plan={plan.number}" if plan else ""),
        **_figures(zone, form.cleaned_data if form.is_bound else {}),
    }
    status = WRONG if form.is_bound else HTTPStatus.OK
    return render(request, "journal/plan_form.html", context, status=status)


def _figures(zone: Any, terms: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  # another room's row
    instrument = zone.heatmap.instrument
    costs, warnings = describe_exposure(queries.expose(key=instrument.key, terms=terms), terms, instrument.tick_size)
    return {"costs": costs, "warnings": warnings if terms else []}
