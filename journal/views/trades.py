"""Pages of what was done: files, trades, and the plan that each belongs to."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.permissions import member
from journal import operations, queries
from journal.forms import ChoosePlanForm, DescribeForm, FileForm, ReviewForm, initial_of_file
from journal.imports import FileRefusedError
from journal.models import Trade, TradeFile
from journal.pages.trades import describe_comparison, describe_file, describe_fill, describe_trade
from journal.views.shared import KEY_DIGITS, SAFE_OR_POST, WRONG, asked_number, owner_of

_FILE: Final = "journal/trade_file.html"


@member
@require_safe
def trades(request: HttpRequest) -> HttpResponse:
    """List own trades, newest first."""
    before = asked_number(request, "before", KEY_DIGITS)
    unmatched = request.GET.get("ask") == "1"
    found = queries.list_trades(owner_id=owner_of(request), before=before, unmatched=unmatched)
    shown = found[: queries.TRADES_PAGE]
    context = {
        "rows": [describe_trade(one) for one in shown],
        "older": shown[-1].pk if len(found) > queries.TRADES_PAGE else None,
        "unmatched": unmatched,
        "waiting": queries.count_unmatched(owner_id=owner_of(request)),
    }
    return render(request, "journal/trades.html", context)


@member
@require_http_methods(SAFE_OR_POST)
def files(request: HttpRequest) -> HttpResponse:
    """List own files, and take a new one."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            kept = operations.keep_file(
                owner_id=owner_of(request), name=sent.name, content=sent.read(), now=timezone.now()
            )
            return redirect("journal:trade-file", pk=kept.pk)
        except FileRefusedError as refusal:
            form.add_error("file", str(refusal))
    status = WRONG if form.errors else 200
    context = {"form": form, "files": queries.list_files(owner_id=owner_of(request))}
    return render(request, "journal/trade_files.html", context, status=status)


@member
@require_http_methods(SAFE_OR_POST)
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a file before it is taken in, and what became of it afterwards."""
    # Asked before the file: what ends in between is found taken in.
    progress = operations.progress_of(file_id=pk)
    found = _own_file(request, pk)
    if found.taken_at is not None:
        refused = queries.list_refused(owner_id=owner_of(request), file_id=pk)
        return render(request, _FILE, {"file": found, "refused": refused})
    if progress is not None and not progress.problem:
        return render(request, _FILE, {"file": found, "progress": progress})
    seen = operations.look(file=found, now=timezone.now())
    columns = () if operations.is_known(seen[0]) else seen[0].header
    form = DescribeForm(
        request.POST if request.method == "POST" else None, columns=columns, initial=initial_of_file(found)
    )
    if request.method == "POST" and form.is_valid():
        operations.describe(owner_id=owner_of(request), file_id=pk, choices=form.choices())
        return redirect("journal:trade-file", pk=pk)
    return _show_file(request, found, form, seen)


@member
@require_POST
def take_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a file into fills and trades; a second click changes nothing, and the page of a large one says how far."""
    try:
        taken = operations.begin_take_in(owner_id=owner_of(request), file_id=pk, now=timezone.now())
    except TradeFile.DoesNotExist as absent:
        raise Http404 from absent
    except operations.UnreadableError as refusal:
        messages.error(request, str(refusal))
    else:
        if taken is not None:
            messages.success(request, f"{taken.new_count:,} new, {taken.known_count:,} here before.")
    return redirect("journal:trade-file", pk=pk)


@member
@require_safe
def trade(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one trade, beside its plan where it has one."""
    return _show_trade(request, _own_trade(request, pk))


@member
@require_POST
def choose_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which plan a trade belongs to."""
    found, form = _own_trade(request, pk), ChoosePlanForm(request.POST)
    if form.is_valid():
        try:
            operations.choose_plan(owner_id=owner_of(request), trade_id=pk, number=form.cleaned_data["plan"])
            return redirect("journal:trade", pk=pk)
        except operations.NoSuchPlanError as refusal:
            form.add_error("plan", str(refusal))
    return _show_trade(request, found, choose=form, status=WRONG)


def _own_file(request: HttpRequest, pk: int) -> TradeFile:
    try:
        return queries.get_file(owner_id=owner_of(request), file_id=pk)
    except TradeFile.DoesNotExist as absent:
        raise Http404 from absent


def _own_trade(request: HttpRequest, pk: int) -> Trade:
    try:
        return queries.get_trade(owner_id=owner_of(request), trade_id=pk)
    except Trade.DoesNotExist as absent:
        raise Http404 from absent


def _show_file(request: HttpRequest, found: TradeFile, form: DescribeForm, seen: operations.Look) -> HttpResponse:
    table, layout, reading, problem = seen
    failed = operations.progress_of(file_id=found.pk)
    problem = problem or (failed.problem if failed else "")
    context = {"file": found, "form": form, "problem": problem, **describe_file(table, layout, reading)}
    return render(request, _FILE, context, status=WRONG if form.errors else 200)


def _show_trade(request: HttpRequest, found: Trade, *, status: int = 200, **forms: Any) -> HttpResponse:  # noqa: ANN401  # bound forms
    owner_id = owner_of(request)
    compared = None
    if found.plan is not None:
        compared = operations.compare(owner_id=owner_id, plan=found.plan, trade=found, now=timezone.now())
    context = {
        "row": describe_trade(found),
        "trade": found,
        "fills": [describe_fill(one) for one in queries.fills_of(owner_id=owner_id, trade=found)],
        "comparison": describe_comparison(compared) if compared else None,
        "review": queries.get_review(owner_id=owner_id, trade_id=found.pk),
        "choose": ChoosePlanForm(initial={"plan": found.plan.number if found.plan else None}),
        "form": ReviewForm(),
        **forms,
    }
    return render(request, "journal/trade.html", context, status=status)
