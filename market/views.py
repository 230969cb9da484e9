"""Doors of the pages about the data: what there is, what is missing, and what was not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from access.permissions import staff
from market.forms import DataFilter, DecisionForm, QuarantineFilter
from market.operations import deciding
from market.pages import data as data_page
from market.pages import quarantine as quarantine_page
from market.pages import venues as venue_cards
from market.queries.venues import venue_health

if TYPE_CHECKING:
    from django.http import HttpRequest

    from market.operations.deciding import Decided, Decision


@staff
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Show venues, series, their lag and what is missing."""
    asked = DataFilter(request.GET)
    if not asked.is_valid():
        raise BadRequest("This filter is not offered.")
    chosen = asked.cleaned_data
    try:
        page = data_page.load(
            days=chosen["days"],
            venue=chosen["venue"],
            is_all=chosen["shown"] == "all",
            page=chosen["page"] or 1,
            now=timezone.now(),
        )
    except EmptyPage as error:
        raise Http404 from error
    return render(request, "market/data.html", {"page": page})


@staff
@require_safe
def venues(request: HttpRequest) -> HttpResponse:
    """Send the venues again, to their place on the page."""
    now = timezone.now()
    cards = venue_cards.cards(health=venue_health(now=now), now=now)
    return render(request, "market/partials/venues.html", {"cards": cards})


@staff
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """List what was not believed."""
    asked = QuarantineFilter(request.GET)
    if not asked.is_valid():
        return render(request, "market/quarantine.html", {"form": asked, "page": None}, status=400)
    page = quarantine_page.load(choice=asked.choice(), before=asked.cleaned_data["before"], now=timezone.now())
    return render(request, "market/quarantine.html", {"form": asked, "page": page})


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest) -> HttpResponse:
    """Show what a decision would take; decide when it is sent."""
    asked = QuarantineFilter(request.GET)
    if not asked.is_valid() or not any(asked.cleaned_data[name] for name in ("row", "instrument", "series", "reason")):
        raise BadRequest("Choose rows on the quarantine page.")
    if request.method == "POST":
        return _decide(request, asked)
    page = quarantine_page.confirm(choice=asked.choice(), query=request.GET.urlencode(), now=timezone.now())
    return render(request, "market/decide.html", {"page": page, "most": deciding.DECIDED_MOST})


def _decide(request: HttpRequest, asked: QuarantineFilter) -> HttpResponse:
    sent = DecisionForm(request.POST)
    if not sent.is_valid():
        raise BadRequest("Choose to release or to discard.")
    decided = deciding.decide(
        choice=asked.choice(through_id=sent.cleaned_data["through"]),
        decision=cast("Decision", sent.cleaned_data["decision"]),
        by=cast("Any", request.user).email,
        now=timezone.now(),
    )
    _tell(request, decided, str(sent.cleaned_data["decision"]))
    return HttpResponseRedirect(reverse("market:quarantine"))


def _tell(request: HttpRequest, decided: Decided, decision: str) -> None:
    if decided.count:
        rows = "1 row was" if decided.count == 1 else f"{decided.count:,} rows were"
        messages.success(request, f"{rows} {decision}.")
    for reason, count in decided.refused.items():
        messages.error(request, f"{count:,} can not be released and stay held: {reason}.")
    if not decided.count and not decided.refused:
        messages.info(request, "None of these rows was held any more; nothing was changed.")
    for key, since in decided.changed.items():
        command = f"manage.py build_heatmap {key} --from {since:%Y-%m-%d}"
        messages.info(request, f"Maps of {key} take it in by themselves; what lies before a map's beginning: {command}")
