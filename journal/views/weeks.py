"""The review of a week: plan by plan, then the whole, then one note."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from access.permissions import member
from journal import operations, queries
from journal.forms import WeekForm
from journal.pages.weeks import describe_week
from journal.views.shared import SAFE_OR_POST, WRONG, owner_of


@member
@require_http_methods(SAFE_OR_POST)
def week(request: HttpRequest) -> HttpResponse:
    """Show a week of own plans, and keep its note; without one asked for, the present week."""
    now = timezone.now()
    monday = _asked_monday(request, now.date())
    found = queries.read_week(owner_id=owner_of(request), monday=monday)
    form = WeekForm(request.POST) if request.method == "POST" else WeekForm(initial={"note": found.note})
    if request.method == "POST" and form.is_valid():
        note = form.cleaned_data["note"]
        operations.keep_week_note(owner_id=owner_of(request), monday=monday, words=note, now=now)
        return redirect(f"{request.path}?monday={monday.isoformat()}")
    context = {**describe_week(found, today=now.date()), "form": form}
    return render(request, "journal/week.html", context, status=WRONG if form.errors else 200)


def _asked_monday(request: HttpRequest, today: dt.date) -> dt.date:
    """Return the Monday of the week of the address; what is no day, or is to come, is absent."""
    asked = request.GET.get("monday", "")
    try:
        day = dt.date.fromisoformat(asked) if asked else today
    except ValueError as absent:
        raise Http404 from absent
    if not dt.date(2000, 1, 10) <= day <= today:
        raise Http404
    return day - dt.timedelta(days=day.weekday())
