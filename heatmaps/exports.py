"""Doors of what leaves the product: the delayed public picture, its frame on other sites, files of what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from csp.decorators import csp_replace
from django.core.exceptions import BadRequest, ObjectDoesNotExist
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from access.permissions import member, public
from heatmaps.pages import chart, export, still
from heatmaps.pages import public as public_page
from heatmaps.views import is_known, milliseconds_of, moment_of, theme_of
from market.series import moment

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpRequest

_FOUND_NOTHING: Final = (ObjectDoesNotExist, still.NothingToDrawError)
_KEEP: Final = "public, max-age=300"


@public
@require_safe
def public_picture(request: HttpRequest, symbol: str) -> HttpResponse:
    """Draw what was estimated an hour ago or more, for everyone."""
    width = request.GET.get("width", "1052")
    if width not in {str(offered) for offered in public_page.WIDTHS}:
        raise BadRequest("This picture is not offered.")
    try:
        body, tag = public_page.picture_of(symbol=symbol, theme=theme_of(request), width=int(width), now=timezone.now())
    except _FOUND_NOTHING as error:
        raise Http404 from error
    headers = {"ETag": f'"{tag}"', "Cache-Control": _KEEP, "Cross-Origin-Resource-Policy": "cross-origin"}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="image/png", headers=headers)


@public
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})  # type: ignore[arg-type]  # it takes views with arguments, too
@require_safe
def embed(request: HttpRequest, symbol: str) -> HttpResponse:
    """Show the delayed picture in a frame of another site; the only page that may stand in one."""
    try:
        shown = public_page.describe(symbol=symbol, now=timezone.now())
    except _FOUND_NOTHING as error:
        raise Http404 from error
    response = render(request, "heatmaps/embed.html", {"shown": shown, "theme": theme_of(request)})
    response["Cache-Control"] = _KEEP
    return response


@member
@require_safe
def export_file(request: HttpRequest, key: str, what: str, ending: str) -> HttpResponse:
    """Send what the terminal shows as CSV or JSON."""
    timeframe = request.GET.get("tf", chart.DEFAULT_TIMEFRAME)
    if what not in export.HEADS or timeframe not in chart.TIMEFRAMES:
        raise BadRequest("This file is not offered.")
    wish = export.Wish(key, what, timeframe, _at(request, "from"), _at(request, "to"), moment_of(request, "at"))
    try:
        found = export.load(wish=wish, now=timezone.now())
    except ObjectDoesNotExist as error:
        raise Http404 from error
    except ValueError as error:
        raise BadRequest(str(error)) from error
    if ending == "json":
        response: HttpResponse = JsonResponse(export.as_document(found))
    else:
        response = HttpResponse(export.as_csv(found), content_type="text/csv; charset=utf-8")
    name = export.file_name(wish, found.about["as_of"], ending)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _at(request: HttpRequest, name: str) -> dt.datetime | None:
    ms = milliseconds_of(request, name)
    return None if ms is None else moment(ms)
