"""Pages of plans: a member sees own plans only; another's plan is as absent as one that never was."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from access.permissions import member
from access.reading import written
from journal import operations, queries
from journal.forms import AmendForm
from journal.pages.entries import describe_entries, is_cancelled
from journal.pages.evidence import describe_evidence, describe_layers
from journal.pages.picture import draw_picture
from journal.pages.terms import describe_exposure, describe_terms
from journal.pages.verdict import describe_verdict
from journal.pages.words import DASH, digits_of, number_text, price_text
from journal.views.shared import KEY_DIGITS, NUMBER_DIGITS, WRONG, asked_number, is_broken, own_plan, owner_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from journal.models import Judgement, Plan, PlanEvent
    from journal.pages.verdict import Verdict

_MANY: Final = "journal/plans.html"
_OF_A_ZONE: Final = "journal/partials/zone_plans.html"
_STATES: Final = {
    "": "All", "draft": "Drafts", "waiting": "Waiting", "open": "Open", "closed": "Closed",
    "not-entered": "Not entered", "cancelled": "Cancelled",
}  # fmt: skip


@member
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """List own plans, newest first: all, those that started from one zone, those in one state."""
    before, zone = asked_number(request, "before", NUMBER_DIGITS), asked_number(request, "zone", KEY_DIGITS)
    if (state := request.GET.get("state", "")) not in _STATES:
        raise Http404
    found = queries.list_plans(
        owner_id=owner_of(request), before=before, zone_id=zone, state=state, limit=queries.PAGE + 1
    )
    shown = found[: queries.PAGE]
    plan_ids = [plan.pk for plan in shown]
    judged = queries.judgements_of(owner_id=owner_of(request), plan_ids=plan_ids)
    cancelled = queries.find_cancelled(owner_id=owner_of(request), plan_ids=plan_ids)
    rows = [
        _row(plan) | {"verdict": _verdict(plan, judged.get(plan.pk)), "is_cancelled": plan.pk in cancelled}
        for plan in shown
    ]
    older = found[queries.PAGE - 1].number if len(found) > queries.PAGE else None
    name = _OF_A_ZONE if zone and "HX-Request" in request.headers else _MANY
    context = {
        "rows": rows,
        "older": _address(zone=zone, state=state, before=older) if older else "",
        "zone_id": zone,
        "state": state,
        "states": [(_address(zone=zone, state=one), title, one == state) for one, title in _STATES.items()],
    }
    return render(request, name, context)


@member
@require_safe
def plan(request: HttpRequest, number: int) -> HttpResponse:
    """Show one plan with its frozen evidence."""
    return _show(request, own_plan(request, number))


@member
@require_safe
def evidence(request: HttpRequest, number: int) -> HttpResponse:
    """Give out the exact bytes that were hashed."""
    found = own_plan(request, number)
    if found.armed_at is None:
        raise Http404
    try:
        body = queries.canonical_json(found.evidence)
    except queries.InexactError as tampered:  # nothing of that kind was ever hashed
        raise Http404 from tampered
    response = HttpResponse(body, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="plan-{number}-evidence.json"'
    return response


@member
@require_POST
def arm(request: HttpRequest, number: int) -> HttpResponse:
    """Freeze a draft with its evidence; a second click changes nothing."""
    found = own_plan(request, number)
    try:
        operations.arm_plan(owner_id=owner_of(request), number=number, now=timezone.now())
    except operations.UnfitError as refusal:
        return _show(request, found, problems=list(refusal.problems.values()), status=WRONG)
    return redirect("journal:plan", number=number)


@member
@require_POST
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Make a plan a draft again in the minute in which it was armed."""
    found = own_plan(request, number)
    try:
        operations.undo_arming(owner_id=owner_of(request), number=number)
    except operations.SettledError as refusal:
        return _show(request, found, problems=[str(refusal)], status=HTTPStatus.CONFLICT)
    return redirect("journal:plan", number=number)


@member
@require_POST
def amend(request: HttpRequest, number: int) -> HttpResponse:
    """Add what was done with an armed plan."""
    found = own_plan(request, number)
    form = AmendForm(request.POST, plan=found)
    if form.is_valid():
        try:
            operations.amend_plan(
                owner_id=owner_of(request), number=number, amendment=form.amendment(), now=timezone.now()
            )
        except operations.UnfitError as refusal:
            for name, sentence in refusal.problems.items():
                form.add_error(name, sentence)
        else:
            return redirect("journal:plan", number=number)
    return _show(request, found, form=form, status=WRONG)


def _show(
    request: HttpRequest,
    found: Plan,
    *,
    problems: list[str] | None = None,
    form: AmendForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    instrument = found.zone.heatmap.instrument
    broken = is_broken(found)
    judged = queries.judgements_of(owner_id=found.owner_id, plan_ids=[found.pk]).get(found.pk)
    events = queries.list_events(owner_id=found.owner_id, plan_id=found.pk) if judged else []
    costs, warnings = describe_exposure(
        queries.expose(key=instrument.key, terms=vars(found)), vars(found), instrument.tick_size
    )
    entries = queries.list_entries(owner_id=found.owner_id, plan_id=found.pk)
    if found.armed_at is None:
        warnings = [*warnings, *queries.find_neighbours(plan=found)]
    context = {
        "plan": found,
        "zone": found.zone,
        "form": form or AmendForm(plan=found),
        "entries": describe_entries(entries, digits_of(instrument.tick_size)),
        "is_cancelled": is_cancelled(entries),
        "undo_until": _undo_until(found),
        "picture": None if broken else draw_picture(found),
        "instrument": instrument,
        "problems": problems,
        "is_broken": broken,
        "terms": describe_terms(found),
        "costs": costs,
        "warnings": warnings,
        "figures": [] if broken else describe_evidence(found),
        "layers": [] if broken or not found.evidence else describe_layers(found.evidence.get("context")),
        "verdict": _verdict(found, judged, events),
    }
    return render(request, "journal/plan.html", context, status=status)


def _address(**asked: int | str | None) -> str:
    """The list's own address with what is asked for."""
    return "?" + urlencode({name: value for name, value in asked.items() if value})


def _undo_until(found: Plan) -> dt.datetime | None:
    """The end of the minute in which arming can be undone, while it lasts."""
    if found.armed_at is None or timezone.now() >= (until := operations.closes_at(found.armed_at)):
        return None
    return until


def _verdict(found: Plan, judged: Judgement | None, events: Sequence[PlanEvent] = ()) -> Verdict | None:
    digits = digits_of(found.zone.heatmap.instrument.tick_size)
    return None if judged is None else describe_verdict(judged, list(events), lambda price: number_text(price, digits))


def _row(found: Plan) -> dict[str, Any]:
    """Write a plan's numbers as a list shows them."""
    instrument = found.zone.heatmap.instrument
    digits, targets = digits_of(instrument.tick_size), found.target_prices
    reward = DASH
    if found.entry and found.invalidation and targets and found.entry != found.invalidation:
        reward = written(f"{abs(targets[0][0] - found.entry) / abs(found.entry - found.invalidation):.2f}")
    return {
        "plan": found,
        "is_broken": is_broken(found),
        "instrument": instrument,
        "entry": price_text(found.entry, digits),
        "invalidation": price_text(found.invalidation, digits),
        "target": price_text(targets[0][0], digits) if targets else DASH,
        "more_targets": len(targets) - 1 if len(targets) > 1 else 0,
        "risk": written(f"{found.risk_pct.normalize():f} %") if found.risk_pct else DASH,
        "reward": reward,
    }
