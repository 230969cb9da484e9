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
from heatmaps.queries import get_heatmap, list_zones
from journal.queries import list_plans
from market.queries import get_instrument, list_fetched, venue_name

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from heatmaps.models import Zone

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
    context = {
        "offered": [
            (one, f"{one.base}-{one.quote}", "across venues" if one.is_pair else venue_name(one.venue))
            for one in sorted(offered, key=lambda one: (one.is_simulated, not one.is_pair, one.key))
        ],
        "pairs": done.pairs,
        "is_read": done.read_at is not None,
        "plan": plans[0] if plans else None,
        "zone": _zone(done.pairs),
        "article": ARTICLE,
        "has_chosen_none": request.method == "POST",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
    return render(request, "welcome.html", context, status=status)


def _zone(pairs: list[str]) -> Zone | None:
    """Return a living zone of the first chosen market, for a first plan."""
    known = {one.key for one in list_fetched(with_venues=True)}
    for key in pairs:
        if key in known and (heatmap := get_heatmap(instrument_id=get_instrument(key=key).pk)) is not None:
            for zone in list_zones(heatmap=heatmap, limit=1):
                return zone if zone.is_alive else None
    return None


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
