"""OKX: what its answers become. The numbers are made up, the shapes are the venue's."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from market.series import ACCOUNT_RATIO, BAR, DEPTH, FUNDING, OPEN_INTEREST
from market.sources.base import Budget, InstrumentFacts, LeverageBracket, SourceError
from market.sources.okx import SOURCE, reading
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Canned, Renamed, changed, expect, said, serving
from tests.recordings import RECORDINGS, needs_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part

NAN = math.nan
MIDNIGHT = 1_767_225_600_000  # 2026-01-01
NOW = MIDNIGHT + 133_000
LATE = MIDNIGHT + 14_500_000
HOUR = 3_600_000
SAID = said("okx")
ANSWERS = {
    "instruments": "instruments",
    "candles": "candles",
    "history-candles": "candles",
    "mark-price-candles": "mark_candles",
    "history-mark-price-candles": "mark_candles",
    "open-interest-history": "open_interest",
    "funding-rate-history": "funding",
    "funding-rate": "funding_now",
    "long-short-account-ratio-contract": "account_ratio",
    "books-full": "books",
    "position-tiers": "position_tiers",
    "mark-price": "mark_price",
}
# series -> (path, answer, fields of a row that are numbers)
ROWS: dict[SeriesName, tuple[str, str, tuple[str | int, ...]]] = {
    "bars": ("candles", "candles", (1, 2, 3, 4, 6, 7)),
    "mark_bars": ("mark-price-candles", "mark_candles", (1, 2, 3, 4)),
    "open_interest": ("open-interest-history", "open_interest", (2, 3)),
    "funding": ("funding-rate-history", "funding", ("realizedRate",)),
    "account_ratio": ("long-short-account-ratio-contract", "account_ratio", (1,)),
}
FIELDS = [(series, field) for series, (_, _, fields) in ROWS.items() for field in fields]


@pytest.fixture
def venue() -> Iterator[Canned]:
    with serving() as canned:
        for path, name in ANSWERS.items():
            canned.put(path, SAID[name])
        yield canned


def read(venue: Canned, series: SeriesName, since: int = MIDNIGHT, until: int = NOW, now: int = NOW) -> Part:
    return venue.connect(SOURCE).read(
        series=series, symbol="BTC-USDT-SWAP", contract_size=0.01, since_ms=since, until_ms=until, now_ms=now
    )


def test_presents_itself() -> None:
    assert (SOURCE.slug, SOURCE.name, SOURCE.is_simulated) == ("okx", "OKX", False)
    # What one endpoint allows within 2 s, over its weight: candles 20, open interest 10, ratio 5.
    assert SOURCE.budget == Budget(weight=20, window_s=2)
    assert {name: 20 // offer.weight for name, offer in SOURCE.offers.items()} == {
        "bars": 20,
        "mark_bars": 20,
        "open_interest": 10,
        "funding": 10,
        "account_ratio": 5,
        "depth": 10,
    }
    assert SOURCE.streams == {"bars", "mark_bars", "liquidations"}
    assert SOURCE.liquidation_sampling == "a part, at most 1 per second"
    assert len(SOURCE.liquidation_sampling) <= 32  # what the database holds


def test_instruments_are_swaps_on_usdt(venue: Canned) -> None:
    assert venue.connect(SOURCE).instruments() == (
        InstrumentFacts("BTC-USDT-SWAP", "BTC", "USDT", "linear", 0.01, "0.1", "0.01", "BTC", 1, is_trading=True),
        InstrumentFacts(
            "SATS-USDT-SWAP", "SATS", "USDT", "linear", 1e7, "0.0000000001", "0.1", "SATS", 1, is_trading=False
        ),
    )
    assert venue.questions == [{"instType": "SWAP"}]


@pytest.mark.parametrize(
    ("field", "to"), [("ctVal", "0,01"), ("ctType", "quanto"), ("tickSz", "0"), ("state", REMOVED)]
)
def test_unreadable_listing_is_no_shorter_list(venue: Canned, field: str, to: object) -> None:
    venue.put("instruments", changed(SAID["instruments"], "data", 0, field, to=to))
    with pytest.raises(SourceError, match=field):
        venue.connect(SOURCE).instruments()


def test_bars_ascend_in_base_and_the_open_one_is_left_out(venue: Canned) -> None:
    # GET / Candlesticks: vol "with a unit of contract", volCcy "the number of base currency", volCcyQuote "in quote
    # currency"; confirm "0: K line is uncompleted".
    part = read(venue, "bars")
    expect(
        part,
        BAR,
        (MIDNIGHT, 87352.0, 87391.9, 87350.3, 87381.4, 41.255, 3604105.2, NAN),
        (MIDNIGHT + 60_000, 87381.4, 87413.0, 87372.2, 87411.0, 28.9025, 2525980.1, NAN),
    )
    assert (part.timeframe, part.faults, part.covered) == (60, (), (MIDNIGHT, NOW))


def test_cursors_exclude_what_they_name(venue: Canned) -> None:
    # after: "records earlier than the requested ts", before: "records newer than the requested ts".
    read(venue, "bars")
    span = {"before": str(MIDNIGHT - 1), "after": str(NOW)}
    assert venue.questions == [{"instId": "BTC-USDT-SWAP", "bar": "1m", "limit": "300", **span}]


def test_open_bar_is_left_out_whatever_the_clock_says(venue: Canned) -> None:
    part = read(venue, "bars", until=LATE, now=LATE)
    assert part.rows["open_time"].tolist() == [MIDNIGHT, MIDNIGHT + 60_000]


def test_bar_called_closed_before_its_end_is_left_out(venue: Canned) -> None:
    venue.put("candles", changed(SAID["candles"], "data", 0, 8, to="1"))
    assert read(venue, "bars").rows["open_time"].tolist() == [MIDNIGHT, MIDNIGHT + 60_000]


@pytest.mark.parametrize(("series", "path"), [("bars", "history-candles"), ("mark_bars", "history-mark-price-candles")])
def test_old_bars_are_asked_of_the_history(venue: Canned, series: SeriesName, path: str) -> None:
    venue.answers = {path: [SAID[ANSWERS[path]]]}  # any other path would be an error
    part = read(venue, series, now=MIDNIGHT + 48 * HOUR)
    assert len(part.rows) == 2


def test_long_span_is_cut_to_the_earliest_page(venue: Canned) -> None:
    pages: dict[SeriesName, int] = {"bars": 300, "mark_bars": 100, "open_interest": 500, "account_ratio": 500}
    for series, minutes in pages.items():
        part = read(venue, series, until=MIDNIGHT + 900 * HOUR, now=MIDNIGHT + 1000 * HOUR)
        assert part.covered == (MIDNIGHT, MIDNIGHT + minutes * 60_000)


def test_mark_bars_have_no_volume(venue: Canned) -> None:
    expect(
        read(venue, "mark_bars"),
        BAR,
        (MIDNIGHT, 87353.4, 87389.0, 87353.4, 87382.1, NAN, NAN, NAN),
        (MIDNIGHT + 60_000, 87382.1, 87410.9, 87376.6, 87409.2, NAN, NAN, NAN),
    )


def test_open_interest_is_in_coins_and_usd(venue: Canned) -> None:
    # Get contract open interest history: "oi in the unit of contracts", "oiCcy … of crypto", "oiUsd … of USD". A
    # contract is counted once: 2,750,110.25 of them are 0.01 BTC each.
    part = read(venue, "open_interest", until=LATE, now=LATE)
    expect(
        part,
        OPEN_INTEREST,
        (MIDNIGHT, 27501.1025, 2402920000.25, NAN),
        (MIDNIGHT + 300_000, 27512.305, 2404840000.5, NAN),
    )
    assert (venue.questions[0]["begin"], venue.questions[0]["period"]) == (str(MIDNIGHT - 1), "5m")
    assert venue.gate.asked == [2]


def test_funding_is_what_was_paid(venue: Canned) -> None:
    # Get funding rate history: fundingRate was the prediction, realizedRate "actual funding rate".
    part = read(venue, "funding", until=LATE, now=LATE)
    expect(part, FUNDING, (MIDNIGHT, -0.0000255, 28_800.0), (MIDNIGHT + 4 * HOUR, 0.000041, 14_400.0))
    assert venue.questions[0]["before"] == str(MIDNIGHT - 16 * HOUR - 1)


def test_funding_interval_is_the_one_that_the_venue_tells(venue: Canned) -> None:
    # Get funding rate: nextFundingTime is that of the payment after the next. Eight hours beside a missing payment
    # are none where four are told.
    venue.put("funding-rate-history", changed(SAID["funding"], "data", 3, "fundingTime", to="1767182400000"))
    part = read(venue, "funding", until=LATE, now=LATE)
    assert part.rows["interval_s"].tolist() == pytest.approx([NAN, 14_400.0], nan_ok=True)
    assert venue.questions[1] == {"instId": "BTC-USDT-SWAP"}


def test_account_ratio_is_long_over_short(venue: Canned) -> None:
    part = read(venue, "account_ratio", until=LATE, now=LATE)
    expect(part, ACCOUNT_RATIO, (MIDNIGHT, 0.8), (MIDNIGHT + 300_000, 1.7391))


def test_depth_is_in_quote(venue: Canned) -> None:
    # The book's quantities are "number of contracts for derivatives": 150 are 1.5 BTC.
    bids = (349885.0, 749285.0, 749285.0, NAN, NAN, NAN)
    asks = (350185.0, 350185.0, 550785.0, NAN, NAN, NAN)
    expect(read(venue, "depth"), DEPTH, (MIDNIGHT + 120_000, 100_000.0, *bids, *asks))
    assert venue.questions == [{"instId": "BTC-USDT-SWAP", "sz": "5000"}]


def test_brackets_are_contracts_at_the_mark_price(venue: Canned) -> None:
    # 2,500.01 contracts of 0.01 BTC at 100,000.
    venue.put("instruments", {**SAID["instruments"], "data": SAID["instruments"]["data"][:1]})
    assert venue.connect(SOURCE).brackets(symbol="BTC-USDT-SWAP") == (
        LeverageBracket(0.0, 100.0, 0.004),
        LeverageBracket(2_500_010.0, 50.0, 0.01),
    )


def test_brackets_of_another_family_are_refused(venue: Canned) -> None:
    venue.put("instruments", {**SAID["instruments"], "data": SAID["instruments"]["data"][:1]})
    venue.put("position-tiers", changed(SAID["position_tiers"], "data", 0, "instFamily", to="ETH-USDT"))
    with pytest.raises(SourceError, match="instFamily is not 'BTC-USDT'"):
        venue.connect(SOURCE).brackets(symbol="BTC-USDT-SWAP")


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize(("series", "field"), FIELDS)
def test_field_that_is_no_number_is_a_fault(venue: Canned, series: SeriesName, field: str | int, kind: str) -> None:
    path, answer, _ = ROWS[series]
    row, whole = 1 if series == "bars" else 0, len(read(venue, series, until=LATE, now=LATE).rows)
    if kind == "missing" and isinstance(field, int):
        venue.put(path, changed(SAID[answer], "data", row, to=SAID[answer]["data"][row][:field]))
    else:
        venue.put(path, changed(SAID[answer], "data", row, field, to=NO_NUMBERS[kind]))
    part = read(venue, series, until=LATE, now=LATE)
    assert (len(part.rows), len(part.faults), part.covered) == (whole - 1, 1, None)


@pytest.mark.parametrize("confirm", ["", "2", 1, None, True])
def test_candle_that_does_not_say_whether_it_is_open_is_a_fault(venue: Canned, confirm: object) -> None:
    venue.put("candles", changed(SAID["candles"], "data", 1, 8, to=confirm))
    part = read(venue, "bars")
    assert (len(part.rows), len(part.faults)) == (1, 1)


@pytest.mark.parametrize(
    ("field", "to", "reason"),
    [
        ("instId", "ETH-USDT-SWAP", "instId is not 'BTC-USDT-SWAP' but 'ETH-USDT-SWAP'"),
        ("realizedRate", Renamed("rate"), "realizedRate is missing"),
    ],
)
def test_settlement_of_another_shape_is_a_fault(venue: Canned, field: str, to: object, reason: str) -> None:
    venue.put("funding-rate-history", changed(SAID["funding"], "data", 0, field, to=to))
    part = read(venue, "funding", until=LATE, now=LATE)
    assert (len(part.rows), [fault.reason for fault in part.faults]) == (1, [reason])


@pytest.mark.parametrize("books", [[], [{}, {}]])
def test_other_than_one_book_is_refused(venue: Canned, books: list[Any]) -> None:
    venue.put("books-full", {"code": "0", "msg": "", "data": books})
    with pytest.raises(SourceError, match="books instead of one"):
        read(venue, "depth")


# docs-v5, Error Code; the status is what the gate hears.
@pytest.mark.parametrize(
    ("code", "status", "permanent", "is_outage"),
    [
        ("50011", 429, False, False),
        ("51001", 200, True, False),
        ("50013", 503, False, True),
        ("58350", 200, False, False),
        (["0"], 200, False, False),
    ],
)
def test_refusal_is_told_by_its_code(
    venue: Canned, code: object, status: int, *, permanent: bool, is_outage: bool
) -> None:
    venue.put("candles", {"code": code, "msg": "no", "data": []})
    with pytest.raises(SourceError) as caught:
        read(venue, "bars")
    assert (caught.value.permanent, caught.value.is_outage) == (permanent, is_outage)
    assert venue.gate.heard == [(status, None)]


@needs_recordings
def test_recorded_answers_are_read() -> None:
    folder = RECORDINGS / "fixtures-nautilus" / "okx"
    listed = json.loads((folder / "http_get_instruments_swap.json").read_text())["data"]
    facts = [found for raw in listed if (found := reading.instrument(raw))]
    assert [(one.symbol, one.contract_size) for one in facts] == [("ETH-USDT-SWAP", 0.1), ("BTC-USDT-SWAP", 0.01)]
    paid = json.loads((folder / "http_get_funding_rate_history.json").read_text())["data"]
    rates = [reading.funding(raw, "BTC-USDT-SWAP") for raw in paid]
    assert [rate[:2] for rate in rates] == [(1_704_067_200_000, 0.00015), (1_704_038_400_000, -0.00002)]
