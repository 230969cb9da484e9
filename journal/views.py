"""Pages of the journal: a member sees own plans only; another's plan is as absent as one that never was."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.permissions import member
from heatmaps import queries as heatmap_queries
from journal import operations, queries
from journal.forms import PlanForm, initial_of, suggest
from journal.models import Plan
from journal.pages.verdict import describe_verdict
from risk.formulas import reward_to_risk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.models import Judgement, PlanEvent
    from journal.pages.verdict import Verdict
    from risk.formulas import Side

_DASH: Final = "—"
_SAFE_OR_POST: Final = ["GET", "HEAD", "POST"]
# What an integer and a key column hold.
_NUMBER_DIGITS: Final = 9
_KEY_DIGITS: Final = 18
_WRONG: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@member
@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """List own plans, newest first."""
    before = request.GET.get("before", "")
    if before and not (before.isdecimal() and len(before) <= _NUMBER_DIGITS):
        raise Http404
    found = queries.list_plans(owner_id=_owner(request), before=int(before) if before else None, limit=queries.PAGE + 1)
    shown = found[: queries.PAGE]
    judged = queries.judgements_of(owner_id=_owner(request), plan_ids=[plan.pk for plan in shown])
    rows = [
        {"plan": plan, "is_broken": _is_broken(plan), "verdict": _verdict(plan, judged.get(plan.pk)), **_terms(plan)}
        for plan in shown
    ]
    older = found[queries.PAGE - 1].number if len(found) > queries.PAGE else None
    return render(request, "journal/plans.html", {"rows": rows, "older": older, "now": timezone.now()})


@member
@require_safe
def plan(request: HttpRequest, number: int) -> HttpResponse:
    """Show one plan with its frozen evidence."""
    return _show(request, _get(request, number))


@member
@require_safe
def evidence(request: HttpRequest, number: int) -> HttpResponse:
    """Give out the exact bytes that were hashed."""
    found = _get(request, number)
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
@require_http_methods(_SAFE_OR_POST)
def new_plan(request: HttpRequest) -> HttpResponse:
    """Write a draft that starts from a zone."""
    zone, now = _zone(request), timezone.now()
    form = PlanForm(_sent(request), initial=suggest(zone=zone, now=now, given=request.GET.dict()), now=now)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.create_draft(
                owner_id=_owner(request),
                zone_id=zone.pk,
                terms=form.terms(),
                request_key=form.cleaned_data["request_key"],
                now=now,
            )
        except operations.SentBeforeError as refusal:
            form.sent_again(refusal.label)
        else:
            return redirect("journal:plan", number=made.number)
    return _show_form(request, form, {"zone": zone, "zone_prices": _band(zone)})


@member
@require_http_methods(_SAFE_OR_POST)
def edit_plan(request: HttpRequest, number: int) -> HttpResponse:
    """Change a draft; an armed plan leads back to its page."""
    found, now = _get(request, number), timezone.now()
    form = PlanForm(_sent(request), initial=initial_of(found), now=now)
    if found.armed_at is not None:
        return _refuse_change(request, found)
    if request.method == "POST" and form.is_valid():
        try:
            operations.update_draft(owner_id=_owner(request), number=number, terms=form.terms(), now=now)
        except operations.ArmedError:  # in another tab, just now
            return _refuse_change(request, found)
        return redirect("journal:plan", number=number)
    return _show_form(request, form, {"plan": found, "zone": found.zone, "zone_prices": _band(found.zone)})


@member
@require_POST
def arm(request: HttpRequest, number: int) -> HttpResponse:
    """Freeze a draft with its evidence; a second click changes nothing."""
    found = _get(request, number)
    try:
        operations.arm_plan(owner_id=_owner(request), number=number, now=timezone.now())
    except operations.UnfitError as refusal:
        return _show(request, found, problems=list(refusal.problems.values()), status=_WRONG)
    return redirect("journal:plan", number=number)


@member
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Return one field as the whole form sees it, with 422 when something is wrong with it."""
    form = PlanForm(request.POST, now=timezone.now())
    name = request.GET.get("field", "")
    if name not in operations.Terms.__slots__:
        raise Http404
    form.is_valid()
    field = form[name]
    status = _WRONG if field.errors else HTTPStatus.OK
    return render(request, "journal/partials/checked_field.html", {"field": field}, status=status)


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _owner(request: HttpRequest) -> int:
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise Http404
    return int(request.user.pk)


def _get(request: HttpRequest, number: int) -> Plan:
    try:
        return queries.get_plan(owner_id=_owner(request), number=number)
    except Plan.DoesNotExist as absent:
        raise Http404 from absent


def _zone(request: HttpRequest) -> Any:  # noqa: ANN401  # another room's row
    asked = request.GET.get("zone", "")
    try:
        return heatmap_queries.get_zone(zone_id=int(asked) if asked.isdecimal() and len(asked) <= _KEY_DIGITS else 0)
    except ObjectDoesNotExist as absent:
        raise Http404 from absent


def _refuse_change(request: HttpRequest, found: Plan) -> HttpResponse:
    messages.error(request, f"{found.label} is armed and can not be changed.")
    return redirect("journal:plan", number=found.number)


def _show(
    request: HttpRequest, found: Plan, *, problems: list[str] | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    is_broken = _is_broken(found)
    figures = [] if is_broken else _figures(found)
    context = {"plan": found, "zone": found.zone, "problems": problems, "figures": figures, **_terms(found)}
    context["is_broken"] = is_broken
    judged = queries.judgements_of(owner_id=found.owner_id, plan_ids=[found.pk]).get(found.pk)
    events = queries.list_events(owner_id=found.owner_id, plan_id=found.pk) if judged else []
    context["verdict"] = _verdict(found, judged, events)
    return render(request, "journal/plan.html", context, status=status)


def _show_form(request: HttpRequest, form: PlanForm, context: dict[str, Any]) -> HttpResponse:
    status = _WRONG if form.is_bound else HTTPStatus.OK
    return render(request, "journal/plan_form.html", {"form": form, **context}, status=status)


def _verdict(found: Plan, judged: Judgement | None, events: Sequence[PlanEvent] = ()) -> Verdict | None:
    digits = _digits(found)
    return None if judged is None else describe_verdict(judged, list(events), lambda price: _price(price, digits))


def _is_broken(found: Plan) -> bool:
    return found.armed_at is not None and not queries.is_intact(plan=found)


def _terms(found: Plan) -> dict[str, Any]:
    """Write a plan's numbers as people read them, with what follows from them."""
    side: Side = 1 if found.direction == Plan.Direction.LONG else -1
    try:
        reward = reward_to_risk(side=side, entry=found.entry, stop=found.invalidation, target=found.target)
    except ValueError:  # no form lets these in: the record was changed in the database
        reward = None
    digits = _digits(found)
    return {
        "entry": _price(found.entry, digits),
        "invalidation": _price(found.invalidation, digits),
        "target": _price(found.target, digits),
        "stop_pct": f"{abs(found.entry - found.invalidation) / found.entry * 100:.2f} %",
        "risk": f"{found.risk_pct.normalize():f} %",
        "reward": f"{reward.gross:.2f}" if reward else _DASH,
        "win_rate": f"{reward.gross_win_rate * 100:.1f} %" if reward else _DASH,
        "instrument": found.zone.heatmap.instrument,
    }


def _digits(found: Plan) -> int:
    exponent = found.zone.heatmap.instrument.tick_size.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _price(value: Decimal, digits: int) -> str:
    """Show the tick's decimals, and more where the trader wrote more."""
    exponent = value.normalize().as_tuple().exponent
    return f"{value:,.{max(digits, -exponent if isinstance(exponent, int) else 0)}f}"


def _band(zone: Any) -> str:  # noqa: ANN401  # another room's row
    tick = zone.heatmap.instrument.tick_size.normalize()
    low, high = (Decimal(repr(edge)).quantize(tick) for edge in (zone.price_low, zone.price_high))
    return f"{low:,f} to {high:,f}"


def _figures(found: Plan) -> list[tuple[str, str, str]]:
    """Pick from the evidence what a reader looks for first: label, value, remark. The download has the rest."""
    if not found.evidence:
        return []
    zone, market, digits = found.evidence["zone"], found.evidence["market"], _digits(found)
    now, born = zone.get("now", {}), zone.get("at_formation", {})
    edges = [_number(now.get(name), digits) for name in ("price_low", "price_high")]
    return [
        ("Zone at arming", " to ".join(edges), now.get("state", "")),
        ("Estimate at arming", usd_text(now.get("usd")), _interval(now)),
        ("Last price at arming", _number(market["last_price"], digits), "stale" if market["is_stale"] else ""),
        ("Zone formed", (born.get("formed_at") or _DASH)[:16].replace("T", " "), "UTC"),
        ("Estimate at formation", usd_text(born.get("usd")), _interval(born)),
        ("Price at formation", _number(born.get("price_at_formation"), digits), ""),
        ("Distance at formation", _number(born.get("distance_pct"), 2), "% of price"),
        (
            "First tested",
            (now.get("tested_at") or "not yet")[:16].replace("T", " "),
            "UTC" if now.get("tested_at") else "",
        ),
        ("Open interest then", _number(born.get("open_interest"), 0), found.zone.heatmap.instrument.base),
        ("Share on the map", _percent(born.get("allocated_share")), ""),
        ("Estimator", born.get("estimator") or _DASH, born.get("version") or ""),
        (
            "Interval",
            (born.get("interval") or _DASH).partition(",")[0],
            (born.get("interval") or "").partition(", ")[2],
        ),
    ]


def _number(value: str | None, digits: int) -> str:
    return _DASH if value is None else f"{Decimal(value):,.{digits}f}"


def _interval(zone: dict[str, str]) -> str:
    return f"80 %: {usd_text(zone['usd_low'])} to {usd_text(zone['usd_high'])}" if "usd_low" in zone else ""


def usd_text(amount: str | None) -> str:
    """Write an amount with three significant digits, such as $1.39B; a dash where there is none."""
    if amount is None:
        return _DASH
    for scale, letter in ((9, "B"), (6, "M"), (3, "K")):
        scaled = Decimal(amount).scaleb(-scale)
        # What rounds up to a thousand of the smaller unit is one of this.
        if scaled >= Decimal("0.9995"):
            return f"${scaled:.{_places(scaled)}f}{letter}"
    return f"${Decimal(amount):.0f}"


def _places(scaled: Decimal) -> int:
    """Digits after the point that leave three in all."""
    if scaled >= Decimal("99.95"):
        return 0
    return 1 if scaled >= Decimal("9.995") else 2


def _percent(share: str | None) -> str:
    return _DASH if share is None else f"{Decimal(share) * 100:.1f} %"
