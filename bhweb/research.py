"""The pages of ``/research/``: the list, an article with what to read on, its picture, and the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from access.permissions import public
from bhweb import cards
from bhweb.articles import Article, articles

if TYPE_CHECKING:
    from django.http import HttpRequest

_TITLE: Final = "BH Terminal: research"
_SUBTITLE: Final = "What liquidation heatmaps show and do not, measured."
_DAY: Final = 86_400


@public
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """List every article."""
    return render(request, "research/list.html", {"articles": list(articles().values())})


@public
@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an article and what to read on."""
    found = _get(slug)
    address = reverse("research-article", args=[slug])
    context = {
        "article": found,
        "related": [articles()[other] for other in found.related],
        "address": request.build_absolute_uri(address),
        "picture": request.build_absolute_uri(reverse("research-picture", args=[slug])),
    }
    return render(request, "research/article.html", context)


@public
@require_safe
@cache_control(public=True, max_age=_DAY)
def picture(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001  # every view takes a request
    """Draw the picture that stands for an article where it is shared."""
    found = _get(slug)
    return HttpResponse(cards.draw(title=found.title, line=found.summary), "image/png")


@public
@require_safe
@cache_control(public=True, max_age=_DAY // 24)
def feed(request: HttpRequest) -> HttpResponse:
    """Serve the articles as an Atom feed."""
    written = Atom1Feed(
        title=_TITLE,
        link=request.build_absolute_uri(reverse("research")),
        description=_SUBTITLE,
        subtitle=_SUBTITLE,
        feed_url=request.build_absolute_uri(reverse("research-feed")),
        language="en",
    )
    for one in articles().values():
        written.add_item(
            title=one.title,
            link=request.build_absolute_uri(reverse("research-article", args=[one.slug])),
            description=one.summary,
            pubdate=one.published_at,
            updateddate=one.published_at,
        )
    return HttpResponse(written.writeString("utf-8"), written.content_type)


def _get(slug: str) -> Article:
    found = articles().get(slug)
    if found is None:
        raise Http404
    return found
