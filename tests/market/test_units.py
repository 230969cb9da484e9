"""Open interest in another unit: a first reading, too, is held against what else is known."""

from __future__ import annotations

import numpy as np
import pytest

from market import series as s
from market.models import Instrument, Quarantine
from market.operations import store
from market.operations.reading import store_part
from market.queries import load_open_interest
from market.sources.base import Part
from tests.factories import make_instrument

from .rows import T0, after
from .scripted_venue import minute_bars

pytestmark = pytest.mark.django_db
NAN = float("nan")


@pytest.fixture
def instrument() -> Instrument:
    """Return an instrument that trades 5 a minute, 7,200 a day, at a price of about 100."""
    made = make_instrument()
    store(instrument_id=made.pk, series="bars", rows=minute_bars(T0, 120), timeframe=60, now=after(120))
    return made


def sample(minute: float, amount: float, value: float = NAN, price: float = NAN) -> Part:
    return Part(np.array([(s.epoch_ms(after(minute)), amount, value, price)], s.OPEN_INTEREST))


def read(instrument: Instrument, part: Part) -> tuple[int, list[str]]:
    """Store a part; return how many samples there are, and why others are held."""
    store_part(instrument=instrument, series="open_interest", part=part, now=after(300))
    rows = load_open_interest(instrument_id=instrument.pk, since=after(-1), until=after(300))
    return len(rows), list(Quarantine.objects.values_list("reason", flat=True))


@pytest.mark.parametrize(
    ("value", "count"), [(100_000.0, 1), (480_000.0, 1), (520_000.0, 0), (19_000.0, 0), (100.0, 0)]
)
def test_first_reading_is_held_against_its_value(instrument: Instrument, value: float, count: int) -> None:
    stored, reasons = read(instrument, sample(120, 1000.0, value))
    assert (stored, [reason[:27] for reason in reasons]) == (count, ["its value over its amount is"[:27]] * (1 - count))


@pytest.mark.parametrize(("amount", "count"), [(7_200.0, 1), (1_400_000.0, 1), (1_500_000.0, 0), (35.0, 0)])
def test_first_reading_without_a_value_is_held_against_what_is_traded(
    instrument: Instrument, amount: float, count: int
) -> None:
    stored, reasons = read(instrument, sample(120, amount))
    expected = "it is more than 200 times off what is traded in a day: its unit may be another"
    assert (stored, reasons) == (count, [expected] * (1 - count))


def test_value_that_is_the_amount_at_the_mark_proves_nothing(instrument: Instrument) -> None:
    assert read(instrument, sample(120, 7.2e6, 7.2e8, 100.0))[0] == 0


def test_later_readings_are_held_against_the_first_and_against_their_value(instrument: Instrument) -> None:
    assert read(instrument, sample(115, 7_200.0, 720_000.0)) == (1, [])
    assert read(instrument, sample(120, 7_200.0, 7_200.0))[0] == 1
    assert read(instrument, sample(125, 72_000.0, 7_200_000.0))[0] == 1
    assert read(instrument, sample(130, 7_300.0, 730_000.0))[0] == 2
    assert Quarantine.objects.count() == 2


def test_where_nothing_else_is_known_a_first_reading_is_believed() -> None:
    assert read(make_instrument(), sample(120, 1e9, 1.0)) == (1, [])


def test_bars_of_long_ago_tell_nothing_of_a_price(instrument: Instrument) -> None:
    assert read(instrument, sample(181, 1000.0, 1000.0)) == (1, [])
