"""Old inputs are never shown as present ones: a dash with the reason stands in their place."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.urls import reverse

from heatmaps.pages import context, recency, strip
from heatmaps.queries import read_around
from market import operations as market
from market import series as s
from market.models import FundingRate, OpenInterest
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.world import add_bars

if TYPE_CHECKING:
    from market.models import Instrument

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
END_MS = round(END.timestamp() * 1000)
HOUR = 3_600_000
EIGHT = dt.timedelta(hours=8)


def times(*hours_ago: float) -> np.ndarray:  # type: ignore[type-arg]  # int64
    return np.array([END_MS - round(hours * HOUR) for hours in hours_ago], np.int64)


@pytest.mark.parametrize(
    ("ago", "reason"),
    [
        ((24.0, 16.0, 8.0), ""),
        ((24.5, 16.5, 8.5), "last reported 8 h ago"),
        ((8.0, 4.0, 0.0), ""),
        ((13.0, 9.0, 5.0), "last reported 5 h ago"),
        ((8.0,), ""),
        ((60 * 24.0,), "last reported 60 d ago"),
        ((), "not reported"),
    ],
)
def test_a_sample_speaks_for_one_interval(ago: tuple[float, ...], reason: str) -> None:
    assert recency.age_reason(times=times(*ago), as_of=END, otherwise=EIGHT) == reason


def test_spacing_is_the_usual_one_even_over_a_gap() -> None:
    assert recency.spacing(times(100, 24, 16, 8, 0)) == EIGHT
    assert recency.spacing(times(3)) is None
    assert [recency.interval_text(recency.spacing(times(*ago))) for ago in ((8, 4, 0), (0,))] == [
        "per 4 h",
        "per interval",
    ]


def instrument_without(*, interest_hours: float, funding_hours: float, hours: int = 24 * 8) -> Instrument:
    """Return an instrument whose open interest and funding ended this long ago."""
    instrument = make_instrument(symbol="ETHUSDT")
    add_bars(instrument=instrument, end=END, hours=hours)
    for model, ago in ((OpenInterest, interest_hours), (FundingRate, funding_hours)):
        model.objects.filter(instrument=instrument, time__gt=END - dt.timedelta(hours=ago)).delete()
    return instrument


def shown(instrument: Instrument) -> dict[str, tuple[str, str]]:
    """Return value and words of each figure, of the strip and of the context."""
    around = read_around(instrument=instrument, as_of=END, with_hours=False)
    page = strip.load(instrument=instrument, digits=1, around=around, newest=None)
    rows = context.load(instrument=instrument, as_of=END).rows
    figures = {f"strip {kpi.label}": (kpi.value, kpi.note or kpi.reason) for kpi in page.kpis}
    return figures | {f"context {row.label}": (row.value, row.note) for row in rows}


def test_old_open_interest_and_funding_are_dashes_with_their_age() -> None:
    found = shown(instrument_without(interest_hours=3, funding_hours=20))
    for place in ("strip", "context"):
        assert found[f"{place} Open interest"] == ("—", "last reported 3 h ago")
        assert found[f"{place} Funding"][0] == "—"
        assert found[f"{place} Funding"][1].startswith("last reported 2")


def test_present_figures_name_the_interval_of_their_funding() -> None:
    found = shown(instrument_without(interest_hours=0, funding_hours=0))
    assert [found[f"{place} Funding"][1] for place in ("strip", "context")] == ["per 8 h", "per 8 h"]
    # Both compare the newest sample with the one a day before it.
    assert found["strip Open interest"][1] == " ".join(found["context Open interest"])


def test_hours_in_a_gap_are_no_figures() -> None:
    instrument = instrument_without(interest_hours=0, funding_hours=0)
    day_ago = END - dt.timedelta(hours=24)
    around = (day_ago - dt.timedelta(hours=2), day_ago + dt.timedelta(hours=2))
    OpenInterest.objects.filter(instrument=instrument, time__range=around).delete()
    assert shown(instrument)["context Open interest"] == ("—", "not reported 24h ago")


def test_chart_carries_funding_over_no_gap_and_tells_its_interval() -> None:
    instrument = make_instrument(symbol="ETHUSDT")
    add_bars(instrument=instrument, end=END, hours=30)
    FundingRate.objects.filter(instrument=instrument).delete()
    prints = np.zeros(8, s.FUNDING)
    prints["time"], prints["rate"] = times(40, 36, 32, 28, 24, 20, 4, 0), 1e-4
    prints["interval_s"] = np.nan
    market.store(instrument_id=instrument.pk, series="funding", rows=prints, now=END)
    address = reverse("heatmaps:chart-data", kwargs={"key": instrument.key})
    document = client_of(make_user()).get(address, {"tf": "1h"}).json()
    assert document["funding_interval_ms"] == 4 * HOUR
    # Bars end 29, 28, ... 0 hours ago: the print of 20 hours ago holds to 16 hours ago.
    ago = range(29, -1, -1)
    assert [value is None for value in document["bars"]["funding"]] == [4 < hours < 16 for hours in ago]
