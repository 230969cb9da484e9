"""The lists of all venues through their real clients, the shared gate and the network of one machine."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from market.models import ContractTerms, Instrument, Quarantine, VenueState
from market.operations import rename, sync_venue
from market.sources import venue_slugs
from tests.double import ManualClock, serve, synthetic_market
from tests.double.catalogue import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from tests.double import Double

pytestmark = pytest.mark.django_db
NOON_MS = 1_768_478_400_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON_MS)


@pytest.fixture
def double(clock: ManualClock, settings: Settings) -> Iterator[Double]:
    with serve(market=synthetic_market(4), clock=clock) as double:
        settings.VENUES_URL = double.address
        yield double


@pytest.mark.parametrize("slug", venue_slugs())
def test_a_venue_lists_what_it_offers(slug: str, double: Double) -> None:
    synced = sync_venue(slug=slug, now=timezone.now())
    assert (synced.refused, synced.held, Quarantine.objects.count()) == ("", 0, 0)
    assert synced.listed >= synced.added > 0
    made = Instrument.objects.filter(venue=slug)
    assert (made.count(), made.filter(is_live=True).count()) == (synced.added, 0)
    assert ContractTerms.objects.count() == synced.added
    state = VenueState.objects.get(venue=slug)
    assert (state.answered_at is not None, state.spent > 0, state.unreachable_since) == (True, True, None)
    again = sync_venue(slug=slug, now=timezone.now())
    assert (again.added, again.changed, again.ended, again.held) == (0, 0, 0, 0)


@pytest.mark.parametrize("slug", venue_slugs())
def test_a_venue_that_is_away_is_known_to_be(slug: str, settings: Settings) -> None:
    settings.VENUES_URL = "http://127.0.0.1:9"
    synced = sync_venue(slug=slug, now=timezone.now())
    assert (bool(synced.refused), "\n" in synced.refused, Instrument.objects.count()) == (True, False, 0)
    assert VenueState.objects.get(venue=slug).unreachable_since is not None


# A contract of the double ends two minutes after that was announced.
WAIT_MINUTES = 3
# One venue names no more what has ended; a second list must lack it, too.
CONFIRMED = dt.timedelta(minutes=6)


@pytest.mark.parametrize("slug", venue_slugs())
def test_a_delisted_contract_has_ended_and_a_renamed_one_goes_on(slug: str, clock: ManualClock, double: Double) -> None:
    sync_venue(slug=slug, now=timezone.now())
    before = set(Instrument.objects.values_list("symbol", flat=True))
    double.inject(FAULTS["rename"](slug=slug))
    clock.advance(minutes=WAIT_MINUTES)
    synced = sync_venue(slug=slug, now=timezone.now())
    assert (synced.refused, synced.missing + synced.ended, synced.added) == ("", 1, 1)
    assert sync_venue(slug=slug, now=timezone.now() + CONFIRMED).missing == 0
    (old,) = Instrument.objects.exclude(ended_at=None)
    (new,) = Instrument.objects.exclude(symbol__in=before)
    kept = rename(old=old.key, new=new.key, now=timezone.now())
    assert (kept.pk, kept.symbol, kept.ended_at) == (old.pk, new.symbol, None)
    double.inject(FAULTS["delisting"](slug=slug))
    clock.advance(minutes=WAIT_MINUTES)
    ended = sync_venue(slug=slug, now=timezone.now()).ended
    assert ended + sync_venue(slug=slug, now=timezone.now() + CONFIRMED).ended == 1


def test_a_multiplier_that_changes_holds_from_then_on(clock: ManualClock, double: Double) -> None:
    sync_venue(slug="okx", now=timezone.now())
    double.inject(FAULTS["multiplier_change"](slug="okx"))
    clock.advance(minutes=WAIT_MINUTES)
    assert sync_venue(slug="okx", now=timezone.now()).changed == 1
    terms = ContractTerms.objects.order_by("instrument", "valid_from")
    (changed,) = {one.instrument_id for one in terms if terms.filter(instrument=one.instrument_id).count() > 1}
    sizes = list(terms.filter(instrument=changed).values_list("contract_size", flat=True))
    assert sizes[1] == pytest.approx(10 * sizes[0])
