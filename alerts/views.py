"""Pages of the alerts: a member sees own rules and notices only."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import BadRequest, ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.permissions import member
from access.queries import own_time_zone
from alerts import operations, queries
from alerts.forms import PreferencesForm, RuleForm, initial_of
from alerts.pages import listing
from market.queries import get_instrument

if TYPE_CHECKING:
    from market.models import Instrument

_ID_DIGITS: Final = 18
_WRONG: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@member
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: HttpRequest) -> HttpResponse:
    """Show what was told and what is asked for; add a rule when one is sent."""
    form = RuleForm(request.POST if request.method == "POST" else None, initial=_wished(request))
    if request.method == "POST" and form.is_valid():
        try:
            operations.add_rule(owner_id=_owner(request), wish=form.wish(), by_mail=form.cleaned_data["by_mail"])
        except operations.TooManyRulesError:
            form.add_error(None, f"There are {queries.MOST_RULES} alerts already. Remove one first.")
        else:
            messages.success(request, "Alert saved. It is looked at each minute.")
            return redirect("alerts:alerts")
    return _show(request, form=form, status=_WRONG if form.is_bound else HTTPStatus.OK)


@member
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep quiet hours."""
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _show(request, quiet=form, status=_WRONG)
    operations.keep_preferences(owner_id=_owner(request), **form.cleaned_data)
    messages.success(request, "Saved.")
    return redirect("alerts:alerts")


@member
@require_POST
def drop(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Remove a rule."""
    if not operations.drop_rule(owner_id=_owner(request), rule_id=rule_id):
        raise Http404
    messages.success(request, "Alert removed. What it told stays.")
    return redirect("alerts:alerts")


@member
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark what was told as read."""
    operations.mark_read(owner_id=_owner(request), through_id=_id(request.POST.get("through", "")), now=timezone.now())
    return redirect("alerts:alerts")


@member
@require_POST
def watch(request: HttpRequest) -> HttpResponse:
    """Put an instrument on the watch list, or take it away."""
    found = _instrument(request)
    change = operations.unwatch if "remove" in request.POST else operations.watch
    change(owner_id=_owner(request), instrument_id=found.pk)
    return redirect("alerts:alerts")


@member
@require_safe
def unread(request: HttpRequest) -> HttpResponse:
    """Send how much is unread, for the top bar."""
    return render(request, "alerts/unread.html", {"unread": queries.count_unread(owner_id=_owner(request))})


def _show(request: HttpRequest, *, status: int, **forms: Any) -> HttpResponse:  # noqa: ANN401  # forms by name
    owner_id = _owner(request)
    before = request.GET.get("before", "")
    page = listing.load(owner_id=owner_id, before=_id(before) if before else None, now=timezone.now())
    kept = initial_of(queries.preferences_of(owner_id=owner_id))
    context = {
        "page": page,
        "form": forms.get("form") or RuleForm(initial=_wished(request)),
        "quiet": forms.get("quiet") or PreferencesForm(initial=kept),
        "zone": own_time_zone(user_id=owner_id),
    }
    return render(request, "alerts/alerts.html", context, status=status)


def _wished(request: HttpRequest) -> dict[str, str]:
    """Begin with what a link says."""
    return {"kind": "near", "threshold_pct": "1", "horizon": "24h", "instrument": request.GET.get("instrument", "")}


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        raise BadRequest("This is no number of a notice.")
    return int(text)


def _instrument(request: HttpRequest) -> Instrument:
    try:
        return get_instrument(key=request.POST.get("instrument", ""))
    except ObjectDoesNotExist as absent:
        raise Http404 from absent


def _owner(request: HttpRequest) -> int:
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise Http404
    return int(request.user.pk)
