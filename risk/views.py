"""The public calculators: state in the address, an answer with its working, no account needed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.permissions import keep_private, name_reader_of, public
from access.queries import first_terms
from risk.forms import TOOLS, PositionForm, own_fields

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from risk.forms import ToolForm


@public
@require_safe
def tools(request: HttpRequest) -> HttpResponse:
    """List the calculators."""
    return render(request, "risk/tools.html", {"tools": list(TOOLS.values())})


@public
@require_safe
def tool(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a question; htmx gets the answer alone."""
    if slug not in TOOLS:
        raise Http404
    name_reader_of(request)
    own = first_terms(user=request.user) if request.user.is_authenticated else {}
    form = TOOLS[slug].asked(request.GET.dict(), own_fields(own))
    if isinstance(form, PositionForm):
        form.list_first(own.get("venue", ""))
    is_right = form.is_valid() or not form.is_bound
    context: dict[str, Any] = {"form": form, "tools": list(TOOLS.values()), "plan": _plan_query(form)}
    is_part = request.headers.get("HX-Request") == "true"
    page = "risk/partials/answer.html" if is_part else "risk/tool.html"
    status = HTTPStatus.OK if is_right else HTTPStatus.UNPROCESSABLE_ENTITY
    response = render(request, page, {**context, "is_part": is_part}, status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    if request.user.is_authenticated:
        keep_private(response)
    return response


def _plan_query(form: ToolForm) -> str:
    """Return the query with which a plan's form takes over; empty without a zone or an answer."""
    zone = form.cleaned_data.get("zone", "") if form.answer else ""
    return urlencode({"zone": zone, **form.plan_terms()}) if zone else ""
