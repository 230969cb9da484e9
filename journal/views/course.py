"""Pages of how results followed each other: plan by plan, and month by month."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.permissions import member
from journal import queries
from journal.pages.course import describe_course, describe_month
from journal.views.shared import owner_of

if TYPE_CHECKING:
    from typing import Any


@member
@require_safe
def course(request: HttpRequest) -> HttpResponse:
    """Show the running sum of own results, and what more of the same may lead to."""
    return render(request, "journal/course.html", describe_course(queries.course(owner_id=owner_of(request))))


@member
@require_safe
def month(request: HttpRequest) -> HttpResponse:
    """Show a month of own plans; without one asked for, the present one."""
    today = timezone.now().date()
    first = _asked_month(request, today)
    until = (first + dt.timedelta(days=32)).replace(day=1)
    days = queries.ended_by_day(owner_id=owner_of(request), since=first, until=until)
    context: dict[str, Any] = describe_month(days, first, today)
    return render(request, "journal/calendar.html", context)


def _asked_month(request: HttpRequest, today: dt.date) -> dt.date:
    """Return the first day of the month of the address; what is no month, or is to come, is absent."""
    asked = request.GET.get("month", "")
    try:
        first = dt.date.fromisoformat(f"{asked}-01") if asked else today.replace(day=1)
    except ValueError as absent:
        raise Http404 from absent
    if not dt.date(2000, 2, 1) <= first <= today:
        raise Http404
    return first
