"""What every venue must keep; a new one is held to it by its line in SOURCES and its listings in the double.

The double knows the truth in this house's units, so what a venue's source reads of it is compared field by field.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from market.series import (
    ACCOUNT_RATIO,
    BAR,
    DEPTH,
    DEPTH_BPS,
    FUNDING,
    MINUTE_MS,
    OPEN_INTEREST,
    OPTIONAL,
    validate,
)
from market.sources.base import SourceError
from tests.double import ManualClock, serve, synthetic_market, truth
from tests.double.tape import DAY, HOUR
from tests.market.venues.side import NOON, NOW, SLUGS, Side, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import Records, SeriesName
    from tests.double import Double

DTYPES: Final = {
    "bars": BAR,
    "mark_bars": BAR,
    "open_interest": OPEN_INTEREST,
    "funding": FUNDING,
    "account_ratio": ACCOUNT_RATIO,
    "depth": DEPTH,
}


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with serve(market=synthetic_market(2, slugs=SLUGS, prints_per_day=20_000), clock=ManualClock(NOW)) as double:
        yield double


@pytest.fixture(params=SLUGS)
def side(request: pytest.FixtureRequest, double: Double) -> Side:
    return Side(double, request.param)


def offered(side: Side, series: SeriesName) -> None:
    if series not in side.venue.offers:
        pytest.skip(f"{side.venue.name} does not tell {series}")


def believed(rows: Records, series: SeriesName, timeframe: int) -> None:
    """Make sure that the room's own checks find nothing to object to."""
    assert rows.dtype == DTYPES[series]
    assert validate(rows, now_ms=NOW, timeframe=timeframe, is_mark=series == "mark_bars").rejected == ()


def test_venue_says_what_it_offers(side: Side) -> None:
    venue = side.venue
    assert (venue.slug, venue.is_simulated, bool(venue.name)) == (side.slug, False, True)
    assert {"bars", "open_interest", "funding", "depth"} <= venue.offers.keys() <= DTYPES.keys()
    assert venue.streams <= {"bars", "mark_bars", "liquidations", "open_interest", "depth", "funding"}
    assert "bars" in venue.streams
    assert ("liquidations" in venue.streams) == (venue.liquidation_sampling != "none")
    for offer in venue.offers.values():
        assert offer.timeframe >= 60
        assert offer.page >= 1
        assert 0 < offer.weight <= venue.budget.weight


def test_connecting_costs_nothing(side: Side) -> None:
    assert side.gate.asked == []


def test_contracts_are_listed_with_their_terms(side: Side) -> None:
    listed = {facts.symbol: facts for facts in side.connection.instruments()}
    facts = listed[side.symbol]
    terms = side.listing.tape.terms
    assert (facts.base, facts.quote, facts.underlying, facts.multiple) == ("BTC", side.listing.quote, "BTC", 1)
    assert (facts.contract_type, facts.contract_size) == ("inverse" if side.listing.is_inverse else "linear", side.size)
    assert facts.is_trading is True
    lot = float(facts.lot_size) * (1 if side.listing.is_inverse else side.size)
    assert lot == pytest.approx(1 if side.listing.is_inverse else float(terms.lot.step))
    if side.slug != "hyperliquid":  # its tick follows from the price
        assert float(facts.tick_size) == float(terms.tick.step)


def test_bars_are_the_truth(side: Side) -> None:
    rows = side.read_all("bars", NOON - 26 * HOUR, NOON)
    expected = truth.bars(side.listing, since=NOON - 26 * HOUR, until=NOON, now=NOW)
    same(rows, expected)
    believed(rows, "bars", 60)
    assert len(rows) == 26 * 60
    told = ~np.isnan(rows["quote_volume"])
    assert (rows["quote_volume"] >= rows["low"] * rows["volume"] * (1 - 1e-4))[told].all()
    assert (rows["quote_volume"] <= rows["high"] * rows["volume"] * (1 + 1e-4))[told].all()


def test_mark_bars_are_the_truth(side: Side) -> None:
    offered(side, "mark_bars")
    rows = side.read_all("mark_bars", NOON - 26 * HOUR, NOON)
    same(rows, truth.bars(side.listing, since=NOON - 26 * HOUR, until=NOON, now=NOW, series="marks"))
    believed(rows, "mark_bars", 60)


@pytest.mark.parametrize("series", ["bars", "mark_bars"])
def test_bar_that_has_not_closed_is_left_out(side: Side, series: SeriesName) -> None:
    offered(side, series)
    part = side.read(series, NOON - 3 * MINUTE_MS, NOW)
    assert list(part.rows["open_time"]) == [NOON - 3 * MINUTE_MS, NOON - 2 * MINUTE_MS, NOON - MINUTE_MS]
    assert part.timeframe == 60
    empty = side.read(series, NOON, NOW)
    assert (len(empty.rows), empty.rows.dtype, empty.faults) == (0, BAR, ())


def test_open_interest_is_the_truth_in_base_and_of_one_side(side: Side) -> None:
    if side.venue.offers["open_interest"].is_snapshot:
        rows = side.read("open_interest", NOW, NOW + 1).rows
        newest = truth.open_interest(side.listing, since=NOON - HOUR, until=NOW, now=NOW)[-1]
        assert (rows["time"].tolist(), len(rows)) == ([NOON], 1)
        assert rows["open_interest"][0] == pytest.approx(newest.open_interest, rel=1e-9)
    else:
        rows = side.read_all("open_interest", NOON - 50 * HOUR, NOON + 1)
        expected = truth.open_interest(side.listing, since=NOON - 50 * HOUR, until=NOON, now=NOW)
        assert rows["time"].tolist() == [sample.time for sample in expected]
        np.testing.assert_allclose(rows["open_interest"], [sample.open_interest for sample in expected], rtol=1e-9)
        values = np.array([sample.usd for sample in expected])
        told = ~np.isnan(rows["open_interest_value"])
        np.testing.assert_allclose(rows["open_interest_value"][told], values[told], rtol=1e-3)
        assert len(rows) == 601
    believed(rows, "open_interest", 0)


def test_funding_is_the_truth_with_its_interval(side: Side) -> None:
    rows = side.read_all("funding", NOON - 4 * DAY, NOON)
    expected = truth.funding(side.listing, since=NOON - 4 * DAY, until=NOON - 1)
    same(rows, [(rate.time, rate.rate, rate.hours * 3600.0) for rate in expected])
    believed(rows, "funding", 0)


def test_account_ratio_is_longs_over_shorts(side: Side) -> None:
    offered(side, "account_ratio")
    rows = side.read_all("account_ratio", NOON - 2 * HOUR, NOON + 1)
    expected = side.double.venues[side.slug].ratio(side.listing, NOON - 2 * HOUR, NOON)
    assert rows["time"].tolist() == [time for time, _ in expected]
    ratios = [long / (10_000 - long) for _, long in expected]
    np.testing.assert_allclose(rows["ratio"], ratios, rtol=2e-3)
    believed(rows, "account_ratio", 0)


def test_depth_is_quote_within_each_distance_of_the_middle(side: Side) -> None:
    rows = side.read("depth", NOW, NOW + 1).rows
    believed(rows, "depth", 0)
    assert rows["time"].tolist() == [NOON]
    listing, tick = side.listing, float(side.listing.tape.terms.tick.step)
    size = float(listing.size_at(NOW).step) * side.size
    shown = 0
    bids, asks = side.double.venues[side.slug].book(listing, 1000)
    mid = (bids[0][0] + asks[0][0]) / 2 * tick
    assert rows["mid"][0] == pytest.approx(mid)
    for name, levels in (("bid", bids), ("ask", asks)):
        for bps in DEPTH_BPS:
            worth = sum(
                lots * size * (1 if listing.is_inverse else ticks * tick)
                for ticks, lots in levels
                if abs(ticks * tick - mid) / mid * 10_000 <= bps
            )
            found = rows[f"{name}_{bps}"][0]
            shown += not np.isnan(found)
            assert np.isnan(found) or found == pytest.approx(worth, rel=1e-9)
    assert shown >= 2 or side.slug == "hyperliquid"


def test_unknown_contract_is_refused(side: Side) -> None:
    with pytest.raises(SourceError) as caught:
        side.read("bars", NOON - HOUR, NOON, symbol="NOPE")
    assert caught.value.permanent is True


def test_series_that_is_not_offered_is_refused_for_good(side: Side) -> None:
    with pytest.raises(SourceError) as caught:
        side.read("liquidation_totals", NOON - HOUR, NOON)
    assert (caught.value.permanent, side.gate.asked) == (True, [])


def test_each_question_is_asked_for_and_reported(side: Side) -> None:
    for series, offer in side.venue.offers.items():
        side.gate.asked.clear()
        side.gate.heard.clear()
        side.read(series, NOON - HOUR, NOON)
        assert len(side.gate.asked) == len(side.gate.heard)
        assert 0 < sum(side.gate.asked) <= offer.weight
        assert {status for status, _ in side.gate.heard} == {200}


def test_what_is_optional_is_nan_and_never_zero(side: Side) -> None:
    bars = side.read("bars", NOON - HOUR, NOON).rows
    for name in BAR.names or ():
        missing = np.isnan(bars[name]) if bars[name].dtype.kind == "f" else np.zeros(len(bars), bool)
        assert not missing.any() or (name in OPTIONAL and missing.all()), name


def test_terms_are_plain_values(side: Side) -> None:
    for facts in side.connection.instruments():
        assert all(isinstance(value, str | int | float | bool) for value in astuple(facts))
