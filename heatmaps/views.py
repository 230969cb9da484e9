"""Doors of the terminal: each reads its address, makes one call, and chooses how long the answer may be kept."""

from __future__ import annotations

import datetime as dt
import gzip
from typing import TYPE_CHECKING, Final, Literal

from django.core.exceptions import BadRequest, ObjectDoesNotExist
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_datetime
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from access.permissions import member, public
from heatmaps.pages import (
    changes,
    chart,
    known,
    listing,
    rivals,
    scorecard,
    state,
    still,
    terminal,
    tiles,
    twin,
    zone,
)
from market.series import moment

if TYPE_CHECKING:
    from django.http import HttpRequest

_YEAR: Final = 31_536_000
_VISIT: Final = "visit"
# Digests of the parts of a fragment: those that the page has, and those that it should have after the answer.
_PARTS: Final = "X-Parts"
_FIRST_YEAR: Final = 2009
_LARGEST_MS: Final = 4_102_444_800_000
_MS_DIGITS: Final = 13
# What the page's script imports, told in advance so that the browser does not find it out one file at a time; the
# modules beside it come joined with it (bhweb/joining.py).
MODULES: Final = (
    "vendor/lightweight-charts/lightweight-charts.standalone.production.mjs",
    "js/terminal/app.js",
)


@public
@require_safe
def scorecard_page(request: HttpRequest) -> HttpResponse:
    """Show what was measured, what it shows and what it does not."""
    return render(request, "heatmaps/scorecard.html", {"page": scorecard.load()})


@member
@require_safe
def instruments(request: HttpRequest) -> HttpResponse:
    """List what there is to look at."""
    return render(request, "heatmaps/instruments.html", {"page": listing.instruments(now=timezone.now())})


@member
@require_safe
def terminal_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one instrument."""
    timeframe = request.GET.get("tf", chart.DEFAULT_TIMEFRAME)
    try:
        page = terminal.load(key=key, timeframe=timeframe, now=timezone.now(), at=moment_of(request, "at"))
    except ObjectDoesNotExist as error:
        raise Http404 from error
    theme = request.COOKIES.get("theme", "")
    # Pages are kept by it: a word that names no theme may not make another one.
    told = {"page": page, "modules": MODULES, "chosen_theme": theme if theme in {"dark", "light"} else ""}
    response = render(request, "heatmaps/terminal.html", told)
    visit = changes.note_visit(cookie=request.COOKIES.get(_VISIT, ""), now=timezone.now())
    # Of this instrument's pages only.
    response.set_cookie(_VISIT, visit, max_age=_YEAR, path=request.path, httponly=True, samesite="Lax")
    return response


@member
@require_safe
def changes_page(request: HttpRequest, key: str) -> HttpResponse:
    """Tell what became of the zones since the visitor's last visit, or in a day."""
    last = changes.last_visit(cookie=request.COOKIES.get(_VISIT, ""))
    since = last if request.GET.get("since") == "visit" else None
    try:
        page = changes.load(key=key, now=timezone.now(), since=since, at=moment_of(request, "at"))
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return render(request, "heatmaps/changes.html", {"page": page, "parent": _parent(request), "last": last})


@member
@require_safe
def twin_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show the heat as a table."""
    try:
        page = twin.load(key=key, now=timezone.now(), at=moment_of(request, "at"))
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return render(request, "heatmaps/twin.html", {"page": page, "parent": _parent(request)})


def _parent(request: HttpRequest) -> str:
    """Return what surrounds a part of a page: nothing where it is asked for by itself."""
    return "heatmaps/part.html" if request.headers.get("HX-Request") else "base.html"


@member
@require_safe
def live(request: HttpRequest, key: str) -> HttpResponse:
    """Send the figures around the chart again, each to its place on the page, but those that it has already."""
    at, write = moment_of(request, "at"), (lambda page: render_to_string("heatmaps/live.html", {"page": page}))
    try:
        parts = terminal.live_parts(key=key, now=timezone.now(), at=at, write=write)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    body, named = known.new_parts(parts, known.read(request.headers.get(_PARTS, "")))
    return HttpResponse(body, headers={_PARTS: named})


@member
@require_safe
def chart_data(request: HttpRequest, key: str) -> HttpResponse:
    """Send bars, panes, the newest slice and zones."""
    try:
        document = chart.data(
            key=key,
            timeframe=request.GET.get("tf", chart.DEFAULT_TIMEFRAME),
            now=timezone.now(),
            since_ms=milliseconds_of(request, "since"),
            until_ms=milliseconds_of(request, "until"),
            at=moment_of(request, "at"),
            estimator=request.GET.get("map", chart.OURS),
        )
    except chart.UnknownTimeframeError as error:
        raise BadRequest("This time frame is not offered.") from error
    except chart.UnknownMapError as error:
        raise BadRequest(f"No map of {error} is built. Built are: {', '.join(chart.MAPS)}.") from error
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return JsonResponse(known.without(document, known.read(request.GET.get("known", ""))))


def milliseconds_of(request: HttpRequest, name: str) -> int | None:
    """Read a time in epoch milliseconds; None where none is given."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MS_DIGITS and int(text) <= _LARGEST_MS):
        raise BadRequest(f"{name} is a time in epoch milliseconds.")
    return int(text)


def moment_of(request: HttpRequest, name: str) -> dt.datetime | None:
    """Read a time as 2026-01-10T12:00Z or in epoch milliseconds; without a zone it is UTC."""
    text = request.GET.get(name, "")
    try:
        found = moment(milliseconds_of(request, name) or 0) if text.isdigit() or not text else parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.year < _FIRST_YEAR:
        if not text:
            return None
        raise BadRequest(f"{name} is a time from {_FIRST_YEAR} on, such as 2026-01-10T12:00Z.")
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


@member
@require_safe
def picture(request: HttpRequest, key: str) -> HttpResponse:
    """Draw the map for readers without scripts, and for those who keep it."""
    timeframe = request.GET.get("tf", chart.DEFAULT_TIMEFRAME)
    width = request.GET.get("width", "1052")
    if timeframe not in chart.TIMEFRAMES or width not in {str(offered) for offered in still.WIDTHS}:
        raise BadRequest("This picture is not offered.")
    theme = theme_of(request)
    try:
        body, tag = still.picture_of(
            key=key,
            timeframe=timeframe,
            theme=theme,
            width=int(width),
            now=timezone.now(),
            at=moment_of(request, "at"),
        )
    except (ObjectDoesNotExist, still.NothingToDrawError) as error:
        raise Http404 from error
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=30"}
    if "download" in request.GET:
        headers["Content-Disposition"] = f'attachment; filename="{key.replace(":", "-")}-{timeframe}.png"'
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="image/png", headers=headers)


@member
@require_safe
def rivals_page(request: HttpRequest, key: str) -> HttpResponse:
    """Compare two estimators over the same hours."""
    try:
        page = rivals.load(wish=_wish(request, key), now=timezone.now())
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return render(request, "heatmaps/rivals.html", {"page": page})


@member
@require_safe
def rivals_picture(request: HttpRequest, key: str) -> HttpResponse:
    """Draw where one estimator holds more than the other, or the map of one."""
    look = rivals.Look(request.GET.get("show", "difference"), theme_of(request), request.GET.get("width", "1100"))
    if not look.is_offered:
        raise BadRequest("This picture is not offered.")
    try:
        drawn = rivals.picture_of(wish=_wish(request, key), look=look, now=timezone.now())
    except ObjectDoesNotExist as error:
        raise Http404 from error
    if drawn is None:
        raise Http404
    headers = {"ETag": f'"{drawn[1]}"', "Cache-Control": "private, max-age=30"}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(drawn[0], content_type="image/png", headers=headers)


def _wish(request: HttpRequest, key: str) -> rivals.Wish:
    one, other = request.GET.get("a", "open-interest"), request.GET.get("b", "path-only")
    try:
        return rivals.Wish(key, one, other, moment_of(request, "from"))
    except rivals.UnknownRivalError as error:
        raise BadRequest(f"There is no estimator {error}. Known: {', '.join(rivals.CHOICES)}.") from error


def theme_of(request: HttpRequest) -> Literal["dark", "light"]:
    """Return the theme that a picture was asked for in."""
    return "light" if request.GET.get("theme") == "light" else "dark"


@member
@require_safe
def tile(request: HttpRequest, key: str, release: str, level: int, row: int, col: int) -> HttpResponse:  # noqa: PLR0913, PLR0917  # an address has as many parts
    """Send a tile as it is stored: compressed, for ever when it is closed, for ten seconds when it is not.

    A closed tile that is rewritten after a correction gets another address: the map's revision is part of it.
    """
    stored = tiles.find(key=key, release=release, level=level, row=row, col=col)
    if stored is None:
        raise Http404
    keep = f"max-age={_YEAR}, immutable" if stored.is_closed else "max-age=10"
    headers = {"ETag": f'"{stored.etag}"', "Cache-Control": f"private, {keep}"}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    response = HttpResponse(content_type="application/octet-stream", headers=headers)
    patch_vary_headers(response, ["Accept-Encoding"])
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response["Content-Encoding"] = "gzip"
        response.content = stored.body
    else:
        response.content = gzip.decompress(stored.body)
    return response


@member
@require_safe
def tick(request: HttpRequest, key: str) -> HttpResponse:
    """Say whether there is anything new; what the event stream says, for those who have to ask."""
    try:
        beat = state.tick(key=key, now=timezone.now())
    except ObjectDoesNotExist as error:
        raise Http404 from error
    headers = {"ETag": f'"{beat["v"]}-{beat["as_of_ms"]}"'}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return JsonResponse(beat, headers=headers)


@member
@require_safe
def zone_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one zone with the evidence frozen at its formation."""
    try:
        page = zone.load(zone_id=pk, now=timezone.now(), at=moment_of(request, "at"))
    except ObjectDoesNotExist as error:
        raise Http404 from error
    return render(request, "heatmaps/zone.html", {"page": page})


def is_known(request: HttpRequest, etag: str) -> bool:
    """Tell whether who asks already has it."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    # A compressing proxy may have made the tag a weak one.
    return "*" in known or etag in {tag.removeprefix("W/") for tag in known}
