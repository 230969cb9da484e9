"""Pages of fills that are typed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from access.permissions import member
from journal import operations, queries
from journal.forms import FillForm, fill_of_plan
from journal.models import Fill
from journal.views.shared import NUMBER_DIGITS, SAFE_OR_POST, WRONG, asked_number, own_plan, owner_of


@member
@require_http_methods(SAFE_OR_POST)
def new_fill(request: HttpRequest) -> HttpResponse:
    """Add a fill by hand, with what its plan says as a start."""
    number, now = asked_number(request, "plan", NUMBER_DIGITS), timezone.now()
    if request.method == "POST":
        form = FillForm(request.POST)
        if form.is_valid():
            try:
                made = operations.add_fill(
                    owner_id=owner_of(request),
                    typed=form.typed(),
                    request_key=form.cleaned_data["request_key"],
                    now=now,
                )
                return redirect("journal:trade", pk=queries.trade_with(fill=made).pk)
            except operations.FillRefusedError as refusal:
                form.add_error(None, str(refusal))
        return render(request, "journal/fill.html", {"form": form}, status=WRONG)
    plan = own_plan(request, number) if number else None
    size = queries.expose(key=plan.zone.heatmap.instrument.key, terms=vars(plan)).size if plan else None
    start = fill_of_plan(plan=plan, quantity=size.quantity if size else None, now=now)
    return render(request, "journal/fill.html", {"form": FillForm(initial=start), "plan": plan})


@member
@require_POST
def drop_fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a fill that was typed."""
    try:
        operations.drop_fill(owner_id=owner_of(request), fill_id=pk)
    except Fill.DoesNotExist as absent:
        raise Http404 from absent
    except operations.FillRefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The fill is gone.")
    return redirect("journal:trades")
