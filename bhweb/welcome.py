"""The first three steps of a new member: choose markets, read how to read the map, write a plan to observe."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

import access.tasks
from access.permissions import member
from heatmaps.queries import get_heatmaps, list_zones
from journal.queries import list_plans
from market.queries import list_fetched, venue_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from heatmaps.models import Heatmap, Zone
    from market.models import Instrument

ARTICLE = "how-to-read-the-map"


@member
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest) -> HttpResponse:
    """Show the three steps; the POST keeps which markets were chosen."""
    user_id = int(request.user.pk or 0)
    offered = list_fetched(with_venues=settings.VENUES)
    chosen = [key for key in request.POST.getlist("pair") if key in {one.key for one in offered}]
    if request.method == "POST" and chosen:
        access.tasks.choose_pairs(user_id=user_id, pairs=chosen)
        return redirect("welcome")
    done = access.tasks.get_onboarding(user_id=user_id)
    plans = list_plans(owner_id=user_id, limit=1)
    maps = _maps(offered)
    context = {
        "offered": [
            (one, f"{one.base}-{one.quote}", _place(one, has_map=one.key in maps))
            for one in sorted(
                offered, key=lambda one: (one.key not in maps, one.is_simulated, not one.is_pair, one.key)
            )
        ],
        "pairs": done.pairs,
        "mapped": next((key for key in done.pairs if key in maps), ""),
        "is_read": done.read_at is not None,
        "plan": plans[0] if plans else None,
        "zone": _zone([maps[key] for key in done.pairs if key in maps]),
        "article": ARTICLE,
        "has_chosen_none": request.method == "POST",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(request, "welcome.html", context, status=status)


def _maps(offered: Sequence[Instrument]) -> dict[str, Heatmap]:
    """Return the maps that show something, by the key of their market."""
    found = get_heatmaps(instrument_ids=[one.pk for one in offered])
    return {one.key: found[one.pk] for one in offered if one.pk in found and found[one.pk].built_through is not None}


def _place(instrument: Instrument, *, has_map: bool) -> str:
    place = "across venues" if instrument.is_pair else venue_name(instrument.venue)
    return place if has_map else f"{place}, no map yet"


def _zone(maps: Sequence[Heatmap]) -> Zone | None:
    """Return a living zone of the first chosen market that has one, for a first plan."""
    largest = (zone for heatmap in maps for zone in list_zones(heatmap=heatmap, limit=1))
    return next((zone for zone in largest if zone.is_alive), None)


@member
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Keep that the article was read."""
    access.tasks.note_read(user_id=int(request.user.pk or 0), now=timezone.now())
    return redirect("welcome")


@member
@require_POST
def done(request: HttpRequest) -> HttpResponse:
    """Leave the steps behind."""
    access.tasks.note_onboarded(user_id=int(request.user.pk or 0), now=timezone.now())
    return redirect("heatmaps:instruments")
