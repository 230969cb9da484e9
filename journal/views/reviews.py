"""Pages of what was learnt: of one plan, of one trade, and of all of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.permissions import member
from journal import operations, queries
from journal.forms import RemarkForm, ReviewForm
from journal.models import Review, Trade
from journal.pages.results import describe_results
from journal.pages.trades import describe_comparison
from journal.pages.verdict import describe_verdict
from journal.pages.words import digits_of, number_text
from journal.views.shared import SAFE_OR_POST, WRONG, own_plan, owner_of

if TYPE_CHECKING:
    from journal.models import Plan


@member
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """Show what own plans add up to."""
    found = queries.results(owner_id=owner_of(request))
    waiting = queries.count_unmatched(owner_id=owner_of(request))
    return render(request, "journal/review.html", {"waiting": waiting, **describe_results(found)})


@member
@require_http_methods(SAFE_OR_POST)
def review_plan(request: HttpRequest, number: int) -> HttpResponse:
    """Show a plan with what was done, and write its review."""
    found = own_plan(request, number)
    form = ReviewForm(request.POST) if request.method == "POST" else ReviewForm()
    if request.method == "POST" and form.is_valid():
        try:
            operations.review_plan(owner_id=owner_of(request), number=number, said=form.said(), now=timezone.now())
            return _reviewed(request, number)
        except (operations.NotEndedError, operations.ReviewedError) as refusal:
            form.add_error(None, str(refusal))
    return _show(request, found, form)


@member
@require_POST
def review_trade(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the review of a trade that had no plan."""
    form = ReviewForm(request.POST)
    try:
        found = queries.get_trade(owner_id=owner_of(request), trade_id=pk)
        if form.is_valid():
            operations.review_trade(owner_id=owner_of(request), trade_id=pk, said=form.said(), now=timezone.now())
            return redirect("journal:trade", pk=pk)
    except Trade.DoesNotExist as absent:
        raise Http404 from absent
    except (operations.NotEndedError, operations.ReviewedError) as refusal:
        form.add_error(None, str(refusal))
    return render(request, "journal/trade_review.html", {"trade": found, "form": form}, status=WRONG)


@member
@require_POST
def remark(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a remark to a review, and go back to it."""
    form = RemarkForm(request.POST)
    if not form.is_valid():
        return render(request, "journal/remark.html", {"form": form, "pk": pk}, status=WRONG)
    try:
        found = operations.add_remark(
            owner_id=owner_of(request), review_id=pk, text=form.cleaned_data["text"], now=timezone.now()
        )
    except Review.DoesNotExist as absent:
        raise Http404 from absent
    except ValueError as refusal:
        form.add_error("text", str(refusal))
        return render(request, "journal/remark.html", {"form": form, "pk": pk}, status=WRONG)
    if found.plan is not None:
        return redirect("journal:plan-review", number=found.plan.number)
    return redirect("journal:trade", pk=found.trade_id)


def _reviewed(request: HttpRequest, number: int) -> HttpResponse:
    """Go back to the week that is walked through, if one is; else to the plan."""
    try:
        monday = dt.date.fromisoformat(request.GET.get("week", ""))
    except ValueError:
        return redirect("journal:plan-review", number=number)
    return redirect(f"{reverse('journal:week')}?monday={monday.isoformat()}")


def _show(request: HttpRequest, found: Plan, form: ReviewForm) -> HttpResponse:
    owner_id, now = owner_of(request), timezone.now()
    judged = queries.judgements_of(owner_id=owner_id, plan_ids=[found.pk]).get(found.pk)
    digits = digits_of(found.zone.heatmap.instrument.tick_size)
    events = queries.list_events(owner_id=owner_id, plan_id=found.pk)
    made = queries.trades_of_plan(owner_id=owner_id, plan_id=found.pk)
    compared = [operations.compare(owner_id=owner_id, plan=found, trade=one, now=now) for one in made]
    context = {
        "plan": found,
        "instrument": found.zone.heatmap.instrument,
        "has_ended": judged is not None and judged.is_done,
        "verdict": describe_verdict(judged, list(events), lambda p: number_text(p, digits)) if judged else None,
        "comparisons": [describe_comparison(one) for one in compared],
        "review": queries.get_review(owner_id=owner_id, plan_id=found.pk),
        "form": form,
        "remark": RemarkForm(),
    }
    return render(request, "journal/plan_review.html", context, status=WRONG if form.errors else 200)
