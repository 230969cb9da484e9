"""A venue that is away is named on the pages of its instruments, in the data page's words, and since when."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.urls import reverse

from heatmaps.pages import outages
from market.models import Instrument, PairMember, VenueState
from market.operations import ensure_pairs
from tests.factories import make_instrument, make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def instrument() -> Instrument:
    """Return a followed instrument of a venue that is away since 08:00."""
    VenueState.objects.create(venue="bybit", unreachable_since=NOW - 4 * HOUR, failures=3, reason="<b>no</b> answer")
    VenueState.objects.create(venue="okx", is_banned=True, failures=1, retry_at=NOW + 2 * HOUR)
    VenueState.objects.create(venue="binance", answered_at=NOW)
    return make_instrument(venue="bybit", is_live=True)


@pytest.fixture
def member() -> Client:
    return client_of(make_user())


def page_of(client: Client, key: str, name: str = "terminal") -> str:
    return client.get(reverse(f"heatmaps:{name}", kwargs={"key": key})).content.decode()


def banner(page: str) -> str:
    found = re.search(r'<div id="outages"[^>]*>(.*?)</div>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_terminal_says_since_when_its_venue_is_away(instrument: Instrument, member: Client) -> None:
    expected = (
        "Not reachable Bybit unreachable since 15 Jan 08:00. It is asked again by itself; what is shown came before."
    )
    assert banner(page_of(member, instrument.key)) == banner(page_of(member, instrument.key, "live")) == expected


def test_terminal_is_quiet_about_others_and_about_what_is_not_fetched(instrument: Instrument, member: Client) -> None:
    assert outages.load(instrument=make_instrument(is_live=True), now=NOW) == []
    assert outages.load(instrument=make_instrument(venue="okx", symbol="OLD"), now=NOW) == []
    VenueState.objects.filter(venue="bybit").update(unreachable_since=None, failures=0)
    cache.clear()  # pages may be some seconds late with it
    assert banner(page_of(member, instrument.key)) == ""


def test_pair_names_each_of_its_venues_that_is_away(instrument: Instrument) -> None:
    for venue in ("binance", "okx"):
        make_instrument(venue=venue, is_live=True)
    ensure_pairs()
    pair = Instrument.objects.get(venue="pair")
    assert outages.load(instrument=pair, now=NOW) == [
        "Bybit unreachable since 15 Jan 08:00",
        "OKX has banned us until 15 Jan 14:00",
    ]


def test_venue_of_a_strange_name_is_escaped(instrument: Instrument, member: Client) -> None:
    make_instrument(venue="okx", is_live=True)
    ensure_pairs()
    pair = Instrument.objects.get(venue="pair")
    VenueState.objects.create(venue="<i>x</i>", unreachable_since=NOW, failures=1)
    PairMember.objects.create(pair=pair, instrument=make_instrument(venue="<i>x</i>", is_live=True), number=9)
    page = page_of(member, pair.key)
    assert "&lt;i&gt;x&lt;/i&gt; unreachable since" in page
    assert "<i>x</i> unreachable" not in page
