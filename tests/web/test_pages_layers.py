"""Context layers on the page and in the API: values, percentiles, reasons, and what was said then."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.urls import reverse

from heatmaps.core.layers import LAYERS
from heatmaps.core.layers.base import HISTORY
from heatmaps.pages import context
from heatmaps.queries import read_layers
from market import operations as market
from market import series as s
from market.models import FundingRate, OpenInterest
from market.queries import load_last_of_hours
from tests.factories import make_instrument, make_user
from tests.pages import client_of
from tests.web.published import API, body, client_with_key
from tests.world import add_bars

if TYPE_CHECKING:
    from django.test import Client

    from market.models import Instrument

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LAYERS_OF = f"{API}/instruments/binance:ETHUSDT/layers/"


@pytest.fixture
def instrument() -> Instrument:
    """An instrument with three weeks of everything but the order book and account ratios."""
    made = make_instrument(symbol="ETHUSDT")
    add_bars(instrument=made, end=END, hours=24 * 21)
    return made


@pytest.fixture
def client() -> Client:
    return client_with_key(make_user())


def rows_of(instrument: Instrument, as_of: dt.datetime = END) -> dict[str, context.Row]:
    return {row.slug: row for row in context.load(instrument=instrument, as_of=as_of).rows}


def test_layers_are_of_complete_hours(instrument: Instrument) -> None:
    found = read_layers(instrument=instrument, at=END)
    assert found.at == dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
    assert len(found.hours) == HISTORY
    assert found.newest["bars"] == found.at
    assert list(found.readings) == list(LAYERS)


def test_rail_shows_every_layer_by_kind(instrument: Instrument) -> None:
    shown = context.load(instrument=instrument, as_of=END)
    assert [(group.kind, len(group.rows)) for group in shown.groups] == [("gauge", 6), ("state", 2), ("levels", 3)]
    assert sorted(row.slug for row in shown.rows) == sorted(LAYERS)
    assert shown.at_text == "15 Jan 12:00"


def test_gauge_says_what_its_percentile_is_over(instrument: Instrument) -> None:
    row = rows_of(instrument)["volatility"]
    assert row.percentile is not None
    assert row.past == f"percentile {row.percentile:.0f} of 20 d"
    assert row.value.endswith("%")


def test_what_is_not_reported_is_a_dash_with_its_reason(instrument: Instrument) -> None:
    rows = rows_of(instrument)
    assert (rows["depth"].value, rows["depth"].note) == ("—", "not reported in the last hour")
    assert (rows["accounts"].value, rows["accounts"].percentile) == ("—", None)


def test_state_shows_its_history_and_its_thresholds(instrument: Instrument) -> None:
    row = rows_of(instrument)["crowding"]
    assert row.past.startswith("6 d: ")
    assert "80th percentile" in row.rule
    assert "open interest percentile" in row.note
    assert sum(float(run.width) for run in row.runs) == pytest.approx(context.STRIP * 6 / 30, rel=0.1)


def test_structure_names_prices(instrument: Instrument) -> None:
    shown = context.load(instrument=instrument, as_of=END)
    assert rows_of(instrument)["value-area"].note.startswith("14 d · value area ")
    assert {one.style for one in shown.levels["value-area"]} == {"band", "line"}
    assert {one.style for one in shown.levels["swings"]} == {"point"}
    assert shown.range is not None or shown.range_reason


def test_replay_says_what_was_said_then(instrument: Instrument) -> None:
    then = END - 5 * HOUR
    before = read_layers(instrument=instrument, at=then)
    late = make_instrument(symbol="SOLUSDT")
    add_bars(instrument=late, end=END, hours=24 * 21)
    for model in (OpenInterest, FundingRate):
        model.objects.filter(instrument=late, time__gt=then).delete()
    # Of the second instrument nothing was known after that moment.
    again = read_layers(instrument=late, at=then)
    for slug, reading in before.readings.items():
        assert reading.values.tobytes() == again.readings[slug].values.tobytes()
        assert (reading.levels, reading.reason) == (again.readings[slug].levels, again.readings[slug].reason)
    now = read_layers(instrument=instrument, at=END)
    for slug in ("volatility", "open-interest", "funding", "regime", "crowding"):
        np.testing.assert_array_equal(before.readings[slug].values[5:], now.readings[slug].values[:-5])
        known = ~np.isnan(now.readings[slug].percentiles[:-5])
        np.testing.assert_array_equal(
            before.readings[slug].percentiles[5:][known], now.readings[slug].percentiles[:-5][known]
        )


def test_last_samples_of_hours_are_those_that_end_with_them(instrument: Instrument) -> None:
    until = END.replace(minute=0)
    found = load_last_of_hours(
        instrument_id=instrument.pk, series="open_interest", since=until - 30 * HOUR, until=until
    )
    assert found["time"].tolist() == [s.epoch_ms(until - hours * HOUR) for hours in range(29, -1, -1)]


def test_last_samples_of_hours_leave_empty_hours_out(instrument: Instrument) -> None:
    until = END.replace(minute=0)
    rows = np.zeros(2, s.ACCOUNT_RATIO)
    rows["time"] = [s.epoch_ms(until - 2 * HOUR), s.epoch_ms(until - 30 * dt.timedelta(minutes=1))]
    rows["ratio"] = [1.5, 2.5]
    market.store(instrument_id=instrument.pk, series="account_ratio", rows=rows, now=END)
    found = load_last_of_hours(instrument_id=instrument.pk, series="account_ratio", since=until - 4 * HOUR, until=until)
    assert found["ratio"].tolist() == [1.5, 2.5]
    assert rows_of(instrument)["accounts"].value == "2.50"


def test_api_tells_each_layer_with_its_hours(client: Client, instrument: Instrument) -> None:
    answer = body(client, LAYERS_OF)
    assert [one["slug"] for one in answer["layers"]] == list(LAYERS)
    assert answer["as_of"] == "2026-01-15T12:00:00Z"
    assert answer["stale_after"] is None
    found = {one["slug"]: one for one in answer["layers"]}
    assert len(found["volatility"]["series"]) == 24
    assert found["volatility"]["series"][-1] == {
        "at": answer["as_of"],
        "value": found["volatility"]["value"],
        "percentile": found["volatility"]["percentile"],
    }
    assert found["crowding"]["state"] in found["crowding"]["states"]
    assert (found["depth"]["value"], found["depth"]["reason"]) == (None, "not reported in the last hour")


def test_api_tells_of_each_layer_how_many_hours_are_known(client: Client, instrument: Instrument) -> None:
    found = {one["slug"]: one for one in body(client, f"{LAYERS_OF}?hours={HISTORY}")["layers"]}
    for layer in found.values():
        known = [one for one in layer["series"] if one["value"] is not None]
        assert layer["completeness"] == len(known) / HISTORY, layer["slug"]
    # Three weeks are stored of thirty days, and a day of volatility comes before its first value.
    assert 0.65 < found["volatility"]["completeness"] < 0.7
    assert found["depth"]["completeness"] == 0.0


def test_api_chooses_layers_hours_and_moment(client: Client, instrument: Instrument) -> None:
    path = f"{LAYERS_OF}?slug=regime&slug=funding&hours=2&at=2026-01-14T06:30:00Z"
    answer = body(client, path)
    assert [one["slug"] for one in answer["layers"]] == ["regime", "funding"]
    assert [one["at"] for one in answer["layers"][0]["series"]] == ["2026-01-14T05:00:00Z", "2026-01-14T06:00:00Z"]
    now = {one["slug"]: one for one in body(client, f"{LAYERS_OF}?hours=40")["layers"]}
    then = answer["layers"][1]
    assert then["series"] == [
        one for one in now["funding"]["series"] if one["at"] in {row["at"] for row in then["series"]}
    ]


@pytest.mark.parametrize("query", ["slug=magic", "hours=-1", "hours=721", "at=yesterday", "at=1999-01-01T00:00:00Z"])
def test_api_refuses_what_it_can_not_tell(query: str, client: Client, instrument: Instrument) -> None:
    assert client.get(f"{LAYERS_OF}?{query}").status_code == 400


def test_api_of_an_instrument_without_bars_has_no_layers(client: Client) -> None:
    make_instrument(symbol="ETHUSDT")
    answer = body(client, LAYERS_OF)
    assert (answer["as_of"], answer["layers"]) == (None, [])


def test_api_before_the_first_bar_gives_reasons(client: Client, instrument: Instrument) -> None:
    answer = body(client, f"{LAYERS_OF}?at=2020-01-01T00:00:00Z&hours=0")
    assert [one["value"] for one in answer["layers"]] == [None] * len(LAYERS)
    assert all(one["reason"] for one in answer["layers"])


def test_chart_draws_what_the_layers_found(instrument: Instrument) -> None:
    page = client_of(make_user())
    address = reverse("heatmaps:chart-data", kwargs={"key": instrument.key})
    levels = page.get(address).json()["levels"]
    assert {one["layer"] for one in levels} >= {"swings", "value-area"}
    shown = context.load(instrument=instrument, as_of=END)
    swings = [(one.from_ms, one.low) for one in shown.levels["swings"]]
    assert [(one["from_ms"], one["low"]) for one in levels if one["layer"] == "swings"] == swings
    then = page.get(address, {"at": "2026-01-10T12:00Z"}).json()["levels"]
    assert max(one["from_ms"] for one in then) <= s.epoch_ms(dt.datetime(2026, 1, 10, 12, tzinfo=dt.UTC))
    # Older bars bring no other structure.
    assert page.get(address, {"until": 1_768_000_000_000}).json()["levels"] is None


def test_terminal_tells_context_as_of_a_moment(instrument: Instrument) -> None:
    page = client_of(make_user())
    address = reverse("heatmaps:terminal", kwargs={"key": instrument.key})
    for at in ("2026-01-10T12:34Z", "2026-01-10T12:34", "1768048440000"):
        answer = page.get(address, {"at": at}).content.decode()
        assert "hourly, as of 10 Jan 12:00 UTC, not now" in answer
        # As of the end of the last step that was over.
        assert 'data-at="1768048200000"' in answer
    assert "hourly, as of 15 Jan 12:00 UTC<" in page.get(address).content.decode()
    # What is later than the newest bar is the newest bar.
    assert "as of 15 Jan 12:00 UTC" in page.get(address, {"at": "2030-01-01T00:00Z"}).content.decode()


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "1999-01-01T00:00Z", "12", "99999999999999"])
def test_moment_that_can_not_be_is_refused(at: str, instrument: Instrument) -> None:
    page = client_of(make_user())
    for name in ("terminal", "chart-data", "live"):
        assert page.get(reverse(f"heatmaps:{name}", kwargs={"key": instrument.key}), {"at": at}).status_code == 400
