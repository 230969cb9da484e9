"""Hyperliquid: what its answers become. The numbers are made up, the shapes are the venue's."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from market.series import BAR, DEPTH, FUNDING, OPEN_INTEREST
from market.sources import hyperliquid
from market.sources.base import Budget, InstrumentFacts, LeverageBracket, SourceError
from market.sources.hyperliquid import SOURCE
from market.sources.strict import Row, UnreadableError
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Canned, Renamed, changed, expect, said, serving
from tests.recordings import RECORDINGS, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part

NAN = math.nan
MIDNIGHT = 1_767_225_600_000  # 2026-01-01
NOW = MIDNIGHT + 133_000
HOUR = 3_600_000
SAID = said("hyperliquid")


@pytest.fixture
def venue() -> Iterator[Canned]:
    with serving() as canned:
        canned.put("meta", SAID["meta"])
        canned.put("metaAndAssetCtxs", [SAID["meta"], SAID["contexts"]])
        canned.put("candleSnapshot", SAID["candles"])
        canned.put("fundingHistory", SAID["funding"])
        canned.put("l2Book", SAID["book"])
        yield canned


def read(venue: Canned, series: SeriesName, symbol: str = "BTC", until: int = NOW, now: int = NOW) -> Part:
    return venue.connect(SOURCE).read(
        series=series, symbol=symbol, contract_size=1.0, since_ms=MIDNIGHT, until_ms=until, now_ms=now
    )


def test_presents_itself() -> None:
    assert (SOURCE.slug, SOURCE.name, SOURCE.is_simulated) == ("hyperliquid", "Hyperliquid", False)
    # Rate limits: "REST requests share an aggregated weight limit of 1200 per minute."
    assert SOURCE.budget == Budget(weight=1200, window_s=60)
    # No channel tells of others' liquidations, nor of mark-price bars or of accounts' sides.
    assert SOURCE.liquidation_sampling == "none"
    assert set(SOURCE.offers) == {"bars", "funding", "open_interest", "depth"}
    assert {name for name, offer in SOURCE.offers.items() if offer.is_snapshot} == {"open_interest", "depth"}
    assert SOURCE.offers["bars"].reach_ms == 5000 * 60_000
    assert SOURCE.streams == {"bars"}


def test_instruments_take_their_steps_from_decimals(venue: Canned) -> None:
    # Tick and lot size: prices have "no more than MAX_DECIMALS - szDecimals decimal places where MAX_DECIMALS is 6 for
    # perps"; "sizes are rounded to the szDecimals of that asset".
    assert venue.connect(SOURCE).instruments() == (
        InstrumentFacts("BTC", "BTC", "USDC", "linear", 1.0, "0.1", "0.00001", "BTC", 1, is_trading=True),
        InstrumentFacts("kPEPE", "kPEPE", "USDC", "linear", 1.0, "0.000001", "1", "PEPE", 1000, is_trading=True),
        InstrumentFacts("LOOM", "LOOM", "USDC", "linear", 1.0, "0.00001", "0.1", "LOOM", 1, is_trading=False),
    )
    assert venue.questions == [{"type": "meta"}]


@pytest.mark.parametrize(
    ("name", "underlying", "multiple"), [("kBONK", "BONK", 1000), ("kas", "kas", 1), ("KAS", "KAS", 1)]
)
def test_only_a_small_k_before_capitals_is_a_thousand(name: str, underlying: str, multiple: int) -> None:
    facts = hyperliquid.instrument({"name": name, "szDecimals": 0, "maxLeverage": 3})
    assert (facts.underlying, facts.multiple) == (underlying, multiple)


@pytest.mark.parametrize("to", [7, -1, "5", None, 1.5, True, REMOVED])
def test_listing_without_decimals_is_refused(venue: Canned, to: object) -> None:
    venue.put("meta", changed(SAID["meta"], "universe", 0, "szDecimals", to=to))
    with pytest.raises(SourceError, match="szDecimals"):
        venue.connect(SOURCE).instruments()


def test_bars_have_no_value_and_the_open_one_is_left_out(venue: Canned) -> None:
    part = read(venue, "bars")
    expect(
        part,
        BAR,
        (MIDNIGHT, 87351.0, 87390.0, 87350.0, 87380.0, 5.10244, NAN, NAN),
        (MIDNIGHT + 60_000, 87380.0, 87412.0, 87371.0, 87410.0, 3.5004, NAN, NAN),
    )
    assert (part.timeframe, part.faults, part.covered) == (60, (), (MIDNIGHT, NOW))
    asked = {"coin": "BTC", "interval": "1m", "startTime": MIDNIGHT, "endTime": NOW - 1}
    assert venue.questions == [{"type": "candleSnapshot", "req": asked}]


@pytest.mark.parametrize(("minutes", "weight"), [(1, 20), (60, 21), (5_000, 103), (50_000, 103)])
def test_candles_weigh_what_they_return(venue: Canned, minutes: int, weight: int) -> None:
    # Rate limits: 20, and "candleSnapshot … an additional rate limit weight per 60 items returned".
    read(venue, "bars", until=MIDNIGHT + minutes * 60_000, now=MIDNIGHT + 60_000 * 60_000)
    assert venue.gate.asked == [weight]
    assert weight <= SOURCE.offers["bars"].weight


def test_funding_is_paid_at_the_hour_that_its_block_followed(venue: Canned) -> None:
    part = read(venue, "funding", until=MIDNIGHT + 2 * HOUR, now=MIDNIGHT + 2 * HOUR)
    expect(part, FUNDING, (MIDNIGHT, 0.0000125, 3600.0), (MIDNIGHT + HOUR, -0.0000081, 3600.0))


def test_funding_between_hours_is_a_fault(venue: Canned) -> None:
    venue.put("fundingHistory", changed(SAID["funding"], 1, "time", to=MIDNIGHT + HOUR // 2))
    part = read(venue, "funding", until=MIDNIGHT + 2 * HOUR, now=MIDNIGHT + 2 * HOUR)
    assert (len(part.rows), part.faults[0].reason) == (1, "time is not that of a full hour")


def test_open_interest_is_half_of_what_counts_both_sides(venue: Canned) -> None:
    # docs/decisions/0011: openInterest is 2x the one-sided outstanding contracts; 30450.5 is told here.
    assert hyperliquid.OI_SIDES == 2
    part = read(venue, "open_interest")
    expect(part, OPEN_INTEREST, (MIDNIGHT + 120_000, 15225.25, 15225.25 * 87350.0, 87350.0))
    assert (part.covered, part.faults, venue.gate.asked) == (None, (), [20])


def test_open_interest_is_found_by_the_place_in_the_universe(venue: Canned) -> None:
    part = read(venue, "open_interest", symbol="kPEPE")
    expect(part, OPEN_INTEREST, (MIDNIGHT + 120_000, 4e9, 4e9 * 0.0041, 0.0041))


def test_states_that_do_not_match_the_universe_are_refused(venue: Canned) -> None:
    venue.put("metaAndAssetCtxs", [SAID["meta"], SAID["contexts"][1:]])
    with pytest.raises(SourceError, match="not as many states as coins"):
        read(venue, "open_interest")


def test_depth_is_in_quote(venue: Canned) -> None:
    bids = (349885.0, 749285.0, 749285.0, NAN, NAN, NAN)
    asks = (350185.0, 350185.0, 550785.0, NAN, NAN, NAN)
    expect(read(venue, "depth"), DEPTH, (MIDNIGHT + 120_000, 100_000.0, *bids, *asks))
    assert venue.questions == [{"type": "l2Book", "coin": "BTC"}]


def test_book_of_another_coin_is_refused(venue: Canned) -> None:
    venue.put("l2Book", changed(SAID["book"], "coin", to="ETH"))
    with pytest.raises(SourceError, match="not 'BTC' but 'ETH'"):
        read(venue, "depth")


def test_brackets_are_the_margin_table(venue: Canned) -> None:
    # Margining: "The maintenance margin is half of the initial margin at max leverage".
    connection = venue.connect(SOURCE)
    assert connection.brackets(symbol="BTC") == (
        LeverageBracket(0.0, 40.0, 0.0125),
        LeverageBracket(150_000_000.0, 20.0, 0.025),
    )
    # A table below 50 is not listed: its number is the leverage of its only tier.
    assert connection.brackets(symbol="kPEPE") == (LeverageBracket(0.0, 10.0, 0.05),)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("universe", 0, "marginTableId"), 57),
        (("universe", 0, "marginTableId"), REMOVED),
        (("marginTables", 0, 1, "marginTiers", 1, "maxLeverage"), "20"),
        (("marginTables", 0, 1, "marginTiers", 1, "maxLeverage"), 0),
        (("marginTables", 0, 1, "marginTiers", 1, "lowerBound"), 150_000_000.0),
        (("marginTables", 0), [56]),
    ],
)
def test_unreadable_margin_table_is_refused(path: tuple[str | int, ...], to: object) -> None:
    with pytest.raises(UnreadableError):
        hyperliquid.brackets(Row(changed(SAID["meta"], *path, to=to)), "BTC")


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("field", ["o", "h", "l", "c", "v"])
def test_field_of_a_candle_that_is_no_number_is_a_fault(venue: Canned, field: str, kind: str) -> None:
    venue.put("candleSnapshot", changed(SAID["candles"], 0, field, to=NO_NUMBERS[kind]))
    part = read(venue, "bars")
    assert (len(part.rows), len(part.faults), part.covered) == (1, 1, None)
    assert part.faults[0].reason.startswith(f"{field} is")


@pytest.mark.parametrize(
    ("field", "to"), [("s", "ETH"), ("i", "5m"), ("t", None), ("t", Renamed("time")), ("s", REMOVED)]
)
def test_candle_of_something_else_is_a_fault(venue: Canned, field: str, to: object) -> None:
    venue.put("candleSnapshot", changed(SAID["candles"], 0, field, to=to))
    part = read(venue, "bars")
    assert (len(part.rows), len(part.faults)) == (1, 1)


@pytest.mark.parametrize("field", ["openInterest", "markPx"])
@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_state_that_can_not_be_read_is_a_fault(venue: Canned, field: str, kind: str) -> None:
    venue.put("metaAndAssetCtxs", [SAID["meta"], changed(SAID["contexts"], 0, field, to=NO_NUMBERS[kind])])
    part = read(venue, "open_interest")
    assert (len(part.rows), len(part.faults)) == (0, 1)


@pytest.mark.parametrize(
    ("field", "to"), [("coin", "ETH"), ("fundingRate", 0.0000125), ("fundingRate", Renamed("rate"))]
)
def test_payment_of_another_shape_is_a_fault(venue: Canned, field: str, to: object) -> None:
    venue.put("fundingHistory", changed(SAID["funding"], 0, field, to=to))
    part = read(venue, "funding", until=MIDNIGHT + 2 * HOUR, now=MIDNIGHT + 2 * HOUR)
    assert (len(part.rows), len(part.faults)) == (1, 1)


@pytest.mark.parametrize(
    ("series", "name"), [("bars", "candleSnapshot"), ("funding", "fundingHistory"), ("depth", "l2Book")]
)
@pytest.mark.parametrize(("symbol", "permanent", "is_outage"), [("NOPE", True, False), ("BTC", False, True)])
def test_null_is_an_unknown_coin_unless_it_is_listed(
    venue: Canned, series: SeriesName, name: str, symbol: str, *, permanent: bool, is_outage: bool
) -> None:
    venue.put(name, "null")
    with pytest.raises(SourceError) as caught:
        read(venue, series, symbol=symbol)
    assert (caught.value.permanent, caught.value.is_outage) == (permanent, is_outage)
    assert venue.gate.heard == [(200, None), (200, None)]
    assert venue.questions[1] == {"type": "meta"}


def test_coin_that_is_not_in_the_universe_is_unknown_for_good(venue: Canned) -> None:
    with pytest.raises(SourceError, match="knows no NOPE") as caught:
        read(venue, "open_interest", symbol="NOPE")
    assert caught.value.permanent is True


@pytest.mark.parametrize(
    ("status", "permanent", "is_outage"), [(422, True, False), (429, False, False), (502, False, True)]
)
def test_refusal_is_told_by_its_status(venue: Canned, status: int, *, permanent: bool, is_outage: bool) -> None:
    venue.status = status
    venue.put("candleSnapshot", '"Failed to deserialize the JSON body into the target type"')
    with pytest.raises(SourceError) as caught:
        read(venue, "bars")
    assert (caught.value.permanent, caught.value.is_outage) == (permanent, is_outage)
    assert venue.gate.heard == [(status, None)]


@needs_recordings
def test_recorded_answers_are_read() -> None:
    folder = RECORDINGS / "fixtures-nautilus" / "hyperliquid"
    listed = json.loads((folder / "http_meta_perp_sample.json").read_text())["universe"]
    facts = [hyperliquid.instrument(raw) for raw in listed]
    assert [(one.symbol, one.lot_size, one.is_trading) for one in facts] == [
        ("BTC", "0.00001", True),
        ("ETH", "0.0001", True),
        ("ATOM", "0.01", True),
    ]
    states = json.loads((folder / "ws_all_dexs_asset_ctxs.json").read_text())["data"]["ctxs"][0][1]
    samples = [hyperliquid.open_interest(state, time_ms=MIDNIGHT) for state in states]
    assert samples[0][1] == float(states[0]["openInterest"]) / 2
    with serving() as canned:
        canned.put("l2Book", json.loads((folder / "http_l2_book_btc.json").read_text()))
        assert read(canned, "depth").rows["mid"].tolist() == [110427.5]
