"""The public pages: what this is, what it is not, and how it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

import access.tasks
from access.permissions import public
from bhweb import front
from bhweb.glossary import sections
from heatmaps.tasks import shown_in_public

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@public
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Say what it is, what it is not, and take requests for access."""
    now = timezone.now()
    try:
        shown, claims = shown_in_public(now=now), front.claims()
    except DatabaseError:  # the page stands without its figures
        shown, claims = None, []
    context = {
        "shown": shown,
        "theme": request.COOKIES.get("theme", ""),
        "claims": claims,
        "form": access.tasks.blank_request(request=request, now=now),
    }
    return render(request, "landing.html", context)


@public
@require_safe
def method(request: HttpRequest) -> HttpResponse:
    """Tell how the map is estimated and what was measured of it."""
    return render(request, "method.html")


@public
@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    """Say what the words of this product mean."""
    return render(request, "glossary.html", {"sections": sections()})
