"""The whole journal on its way out and in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.permissions import member
from journal import operations, queries
from journal.forms import JournalForm
from journal.imports import FileRefusedError
from journal.models import MovedJournal
from journal.pages.moved import describe_counts, describe_parts
from journal.pages.tables import pack
from journal.views.shared import SAFE_OR_POST, WRONG, owner_of


@member
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give out everything that the owner wrote, with the chain and what verifies it."""
    body = queries.canonical_json(queries.export_journal(owner_id=owner_of(request)))
    return _file(body, "application/json", "journal.json")


@member
@require_safe
def export_tables(request: HttpRequest) -> HttpResponse:
    """Give out the same as tables, for spreadsheets."""
    return _file(pack(queries.export_journal(owner_id=owner_of(request))), "application/zip", "journal.zip")


@member
@require_http_methods(SAFE_OR_POST)
def moved_journals(request: HttpRequest) -> HttpResponse:
    """List journals that came from elsewhere, and take a new export."""
    form = JournalForm(request.POST, request.FILES) if request.method == "POST" else JournalForm()
    if request.method == "POST" and form.is_valid():
        try:
            kept = operations.keep_journal(
                owner_id=owner_of(request), content=form.cleaned_data["file"].read(), now=timezone.now()
            )
            return redirect("journal:moved", pk=kept.pk)
        except FileRefusedError as refusal:
            form.add_error("file", str(refusal))
    context = {"form": form, "journals": queries.list_moved(owner_id=owner_of(request))}
    return render(request, "journal/moved_journals.html", context, status=WRONG if form.errors else 200)


@member
@require_safe
def moved(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would come in of a journal, or what came."""
    found = _own(request, pk)
    if found.taken_at is None:
        arrival = operations.look_at_journal(journal=found, now=timezone.now())
        shown = (arrival.counts, arrival.refused, arrival.parts)
    else:
        shown = (found.counts, found.refused, found.parts)
    counts, refused, parts = shown
    context = {
        "journal": found,
        "counts": describe_counts(counts),
        "refused": refused[:200],
        "refused_count": len(refused),
        "parts": describe_parts(parts),
    }
    return render(request, "journal/moved_journal.html", context)


@member
@require_POST
def take_in_moved(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a journal in; a second click changes nothing."""
    _own(request, pk)
    operations.take_in_journal(owner_id=owner_of(request), journal_id=pk, now=timezone.now())
    messages.success(request, "The journal is here.")
    return redirect("journal:moved", pk=pk)


def _own(request: HttpRequest, pk: int) -> MovedJournal:
    try:
        return queries.get_moved(owner_id=owner_of(request), journal_id=pk)
    except MovedJournal.DoesNotExist as absent:
        raise Http404 from absent


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
