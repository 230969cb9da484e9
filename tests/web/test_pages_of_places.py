"""Where zones lie in structure, and the book on the way: in the table, on the zone's page and by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from heatmaps.core.structure import Boundary, Range
from heatmaps.models import Zone
from heatmaps.operations import learn_reach
from heatmaps.pages import context, places
from market import operations as market
from market import series as s
from tests.factories import make_heatmap, make_instrument, make_user, make_zone
from tests.heatmaps.touched import HOUR, TODAY, past, put_bars
from tests.pages import client_of
from tests.web.published import API, body, client_with_key

if TYPE_CHECKING:
    from django.test import Client

    from market.models import Instrument

pytestmark = pytest.mark.django_db
AT = TODAY + 6 * HOUR
PRICE = float(past()["close"][24 * 288 + 71])
RANGE = Range(
    bars=48,
    lower=Boundary(PRICE * 0.98, 3, 2, 0.0, is_clean=False),
    upper=Boundary(PRICE * 1.02, 3, 2, 0.0, is_clean=True),
    epsilon=0.002,
    efficiency=0.1,
    width=math.log(1.02 / 0.98),
    expected_width=0.1,
)


@pytest.fixture
def instrument() -> Instrument:
    made = make_instrument()
    put_bars(made, past(), until=AT)
    return made


@pytest.fixture
def zones(instrument: Instrument) -> list[Zone]:
    """From near to far above the price; the second is the largest."""
    heatmap = make_heatmap(instrument=instrument, built_through=AT)
    type(heatmap).objects.update(zones_through=AT, built_from=TODAY)
    bands = ((1.0001, 1.0002), (1.04, 1.05), (1.06, 1.07))
    for number, (low, high) in enumerate(bands, start=1):
        zone = make_zone(heatmap=heatmap, born_at=AT - HOUR, number=number, position_side=-1)
        usd = 9e6 if number == 2 else 4.2e6
        price = {"price_low": PRICE * low, "price_high": PRICE * high, "price_peak": PRICE * (low + high) / 2}
        Zone.objects.filter(pk=zone.pk).update(usd=usd, **price)
    return list(Zone.objects.order_by("number"))


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def place_all(instrument: Instrument, zones: list[Zone], sigma: float | None = 0.01) -> list[places.Where]:
    found = replace(context.load(instrument=instrument, as_of=AT), range=RANGE, nodes=(PRICE * 1.01, PRICE * 1.03))
    return [places.place(zone=zone, others=zones, last=PRICE, found=found, sigma=sigma) for zone in zones]


def test_zones_are_told_apart_with_their_numbers(instrument: Instrument, zones: list[Zone]) -> None:
    near, larger, behind = place_all(instrument, zones)
    assert [near.text, larger.text, behind.text] == ["Noise", "Beyond the range", "Beyond, behind a larger zone"]
    assert larger.note.startswith("3.9 standard deviations of 4 h away; 1.94% past a clean boundary (± 0.20%)")
    # The upper boundary is the nearer one.
    assert near.note == "0.0 standard deviations of 4 h away; 1.97% short of a clean boundary (± 0.20%)"
    assert (near.node, larger.node) == (None, PRICE * 1.01)


def test_without_volatility_nothing_is_noise(instrument: Instrument, zones: list[Zone]) -> None:
    near, *_ = place_all(instrument, zones, sigma=None)
    assert near.text == "Inside the range"
    assert "standard deviations" not in near.note


def test_without_a_range_the_reason_stands_in_its_place(instrument: Instrument, zones: list[Zone]) -> None:
    found = replace(context.load(instrument=instrument, as_of=AT), range=None, range_reason="no range")
    placed = [places.place(zone=one, others=zones, last=PRICE, found=found, sigma=0.01) for one in zones]
    assert [one.text for one in placed] == ["Noise", "—", "—"]
    assert placed[1].note == "no range; 3.9 standard deviations of 4 h away"


def store_book(instrument: Instrument, **held: float) -> None:
    row = np.zeros(1, s.DEPTH)
    for name in (f"{side}_{bps}" for side in ("bid", "ask") for bps in s.DEPTH_BPS):
        row[name] = held.get(name, np.nan)
    row["time"], row["mid"] = s.epoch_ms(AT), PRICE
    market.store(instrument_id=instrument.pk, series="depth", rows=row, now=AT)


def test_book_on_the_way_lies_between_what_is_known(instrument: Instrument, zones: list[Zone]) -> None:
    store_book(instrument, ask_10=1e6, ask_100=5e6, ask_500=21e6, bid_10=1e6)
    near, larger, far = place_all(instrument, zones)
    assert (near.book_text, near.book_note) == ("$100K", "$0–1.00M")  # noqa: RUF001
    assert (larger.book_text, larger.book_note) == ("$17.0M", "$5.00M–21.0M")  # noqa: RUF001
    assert (far.book_text, far.book_note) == ("over $21.0M", "the profile ends before the zone")


def test_no_book_is_a_dash_with_its_reason(instrument: Instrument, zones: list[Zone]) -> None:
    near, *_ = place_all(instrument, zones)
    assert (near.book_text, near.book_note) == ("—", places.NO_BOOK)


def test_table_and_zone_page_show_structure(instrument: Instrument, zones: list[Zone]) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    client = client_of(make_user())
    table = client.get(f"/t/{instrument.key}/").content.decode()
    assert "Book on the way" in table
    assert table.count(places.NO_BOOK) == 3
    assert "Noise" in text_of(client, f"/t/{instrument.key}/")
    said = text_of(client, f"/zones/{zones[0].pk}/")
    assert "Structure Range Noise" in said
    assert "0.0 standard deviations of 4 h away" in said


def test_zone_that_ended_has_no_place(instrument: Instrument, zones: list[Zone]) -> None:
    Zone.objects.filter(pk=zones[0].pk).update(state="faded", ended_at=AT)
    assert "Book on the way" not in text_of(client_of(make_user()), f"/zones/{zones[0].pk}/")


def test_api_places_the_zones_that_live(instrument: Instrument, zones: list[Zone]) -> None:
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    store_book(instrument, ask_10=1e6, ask_100=5e6, ask_500=21e6)
    client, path = client_with_key(make_user()), f"{API}/instruments/{instrument.key}/layers/"
    found = {one["zone"]: one for one in body(client, f"{path}?slug=range&hours=0")["zones"]}
    assert sorted(found) == [zone.pk for zone in zones]
    near, far = found[zones[0].pk], found[zones[2].pk]
    assert (near["place"], near["depth_usd_low"], near["reason"]) == ("noise", 0.0, "")
    assert far["distance_pct"] == pytest.approx(100 * math.log(1.06))
    assert (far["depth_usd"], far["depth_usd_low"], far["depth_usd_high"]) == (None, 21e6, None)
    assert body(client, f"{path}?slug=range&at=2026-01-14T06:30:00Z")["zones"] is None


def test_terminal_asks_as_much_for_three_zones_as_for_one(instrument: Instrument, zones: list[Zone]) -> None:
    client, address = client_of(make_user()), f"/t/{instrument.key}/"
    counts = []
    for kept in (3, 1):
        Zone.objects.filter(number__gt=kept).delete()
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
