"""Doors of what is told of all instruments at once, and of small drawings: each reads its address, makes one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import EmptyPage
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.permissions import member
from heatmaps.forms import ScreenerFilter, ZoneFilter
from heatmaps.pages import replay, screener, still, zone_index
from heatmaps.views import is_known, theme_of
from market import queries as market

if TYPE_CHECKING:
    from django.http import HttpRequest


@member
@require_safe
def screener_page(request: HttpRequest) -> HttpResponse:
    """Set every pair and instrument beside each other."""
    asked = ScreenerFilter(request.GET)
    if not asked.is_valid():
        return render(request, "heatmaps/screener.html", {"form": asked, "page": None}, status=400)
    query = {name: request.GET.get(name, "") for name in asked.fields}
    try:
        page = screener.load(
            choice=asked.choice(), query=query, page=asked.cleaned_data["page"] or 1, now=timezone.now()
        )
    except EmptyPage as beyond:
        raise Http404 from beyond
    return render(request, "heatmaps/screener.html", {"form": asked, "page": page})


@member
@require_safe
def small_picture(request: HttpRequest, key: str) -> HttpResponse:
    """Draw an instrument small enough to stand among many."""
    try:
        body, tag = still.small_of(key=key, theme=theme_of(request), now=timezone.now())
    except (ObjectDoesNotExist, still.NothingToDrawError) as error:
        raise Http404 from error
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=60"}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="image/png", headers=headers)


@member
@require_safe
def terminal_by_name(request: HttpRequest, name: str) -> HttpResponse:
    """Lead from what people type, ``/t/BTC-USDT/``, to the page of it."""
    instrument = market.find_named(name=name)
    if instrument is None:
        raise Http404
    address = reverse("heatmaps:terminal", args=[instrument.key])
    return redirect(f"{address}?{request.GET.urlencode()}" if request.GET else address)


@member
@require_safe
def zones_page(request: HttpRequest) -> HttpResponse:
    """List the zones of all instruments."""
    asked = ZoneFilter(request.GET)
    if not asked.is_valid():
        return render(request, "heatmaps/zones.html", {"form": asked, "page": None}, status=400)
    query = {name: request.GET.get(name, "") for name in asked.fields}
    try:
        page = zone_index.load(
            choice=asked.choice(), query=query, page=asked.cleaned_data["page"] or 1, now=timezone.now()
        )
    except EmptyPage as beyond:
        raise Http404 from beyond
    return render(request, "heatmaps/zones.html", {"form": asked, "page": page})


@member
@require_safe
def track_data(_request: HttpRequest, key: str) -> HttpResponse:
    """Send the closes along which a replay is chosen."""
    try:
        document = replay.track(key=key, now=timezone.now())
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return JsonResponse(document)
