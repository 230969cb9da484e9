"""Bybit: what its answers become. The numbers are made up, the shapes are the venue's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from market.series import ACCOUNT_RATIO, BAR, DEPTH, FUNDING, OPEN_INTEREST, validate
from market.sources.base import Budget, InstrumentFacts, LeverageBracket, SourceError
from market.sources.bybit import SOURCE
from tests.market.venues.canned import REMOVED, Canned, changed, expect, said, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part

NAN = math.nan
MIDNIGHT = 1_767_225_600_000  # 2026-01-01
NOW = MIDNIGHT + 133_000
SAID = said("bybit")
ANSWERS = {
    "instruments-info": ("instruments", "instruments_last"),
    "kline": ("kline",),
    "mark-price-kline": ("mark_kline",),
    "open-interest": ("open_interest",),
    "history": ("funding",),
    "account-ratio": ("account_ratio",),
    "orderbook": ("orderbook",),
    "risk-limit": ("risk_limit",),
}


@pytest.fixture
def venue() -> Iterator[Canned]:
    with serving() as canned:
        for path, names in ANSWERS.items():
            canned.put(path, *(SAID[name] for name in names))
        yield canned


def read(venue: Canned, series: SeriesName, since: int = MIDNIGHT, until: int = NOW, now: int = NOW) -> Part:
    connection = venue.connect(SOURCE)
    return connection.read(
        series=series, symbol="BTCUSDT", contract_size=1.0, since_ms=since, until_ms=until, now_ms=now
    )


def test_presents_itself() -> None:
    assert (SOURCE.slug, SOURCE.name, SOURCE.is_simulated) == ("bybit", "Bybit", False)
    # rate-limit: "600 requests within a 5-second window by default" from one IP.
    assert SOURCE.budget == Budget(weight=600, window_s=5)
    assert SOURCE.liquidation_sampling == "all"
    assert SOURCE.streams == {"bars", "liquidations"}
    assert {name for name, offer in SOURCE.offers.items() if offer.is_snapshot} == {"depth"}


def test_instruments_are_read_page_by_page(venue: Canned) -> None:
    found = venue.connect(SOURCE).instruments()
    assert found == (
        InstrumentFacts("BTCUSDT", "BTC", "USDT", "linear", 1.0, "0.10", "0.001", "BTC", 1, is_trading=True),
        InstrumentFacts(
            "1000PEPEUSDT", "1000PEPE", "USDT", "linear", 1.0, "0.0000001", "100", "PEPE", 1000, is_trading=True
        ),
        InstrumentFacts(
            "SHIB1000USDT", "SHIB1000", "USDT", "linear", 1.0, "0.000005", "10", "SHIB", 1000, is_trading=False
        ),
    )
    assert [question.get("cursor") for question in venue.questions] == [None, "first=1000PEPEUSDT"]
    assert {question["category"] for question in venue.questions} == {"linear"}


def test_list_of_instruments_that_never_ends_is_refused(venue: Canned) -> None:
    venue.put("instruments-info", SAID["instruments"])
    with pytest.raises(SourceError, match="does not end"):
        venue.connect(SOURCE).instruments()
    assert len(venue.questions) == 2


def test_bars_ascend_and_the_open_one_is_left_out(venue: Canned) -> None:
    part = read(venue, "bars")
    expect(
        part,
        BAR,
        (MIDNIGHT, 87350.0, 87390.4, 87349.9, 87380.1, 31.507, 2752470.5, NAN),
        (MIDNIGHT + 60_000, 87380.1, 87412.9, 87371.0, 87410.5, 14.226, 1243250.8, NAN),
    )
    assert (part.timeframe, part.faults, part.covered) == (60, (), (MIDNIGHT, NOW))
    asked = {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "1000"}
    assert venue.questions == [asked | {"start": str(MIDNIGHT), "end": str(NOW - 1)}]
    assert venue.gate.asked == [1]


def test_long_span_is_cut_to_the_earliest_page(venue: Canned) -> None:
    part = read(venue, "bars", until=MIDNIGHT + 5_000 * 60_000, now=MIDNIGHT + 9_000 * 60_000)
    assert part.covered == (MIDNIGHT, MIDNIGHT + 1_000 * 60_000)
    assert venue.questions[0]["end"] == str(MIDNIGHT + 1_000 * 60_000 - 1)


def test_mark_bars_have_no_volume(venue: Canned) -> None:
    part = read(venue, "mark_bars")
    expect(
        part,
        BAR,
        (MIDNIGHT, 87351.75, 87388.6, 87351.75, 87381.22, NAN, NAN, NAN),
        (MIDNIGHT + 60_000, 87381.22, 87411.08, 87375.4, 87409.91, NAN, NAN, NAN),
    )
    assert validate(part.rows, now_ms=NOW, timeframe=60, is_mark=True).rejected == ()


def test_open_interest_is_that_of_one_side(venue: Canned) -> None:
    # market/open-interest: openInterest "is the sum of both sides", singleOpenInterest "is the single side"; see
    # docs/decisions/0011. The answer here says 102604.882 for both.
    part = read(venue, "open_interest", until=MIDNIGHT + 333_000, now=MIDNIGHT + 333_000)
    expect(part, OPEN_INTEREST, (MIDNIGHT, 51250.059, NAN, NAN), (MIDNIGHT + 300_000, 51302.441, NAN, NAN))
    assert (venue.questions[0]["intervalTime"], venue.questions[0]["limit"]) == ("5min", "200")


def test_open_interest_of_unknown_sides_is_a_fault(venue: Canned) -> None:
    venue.put("open-interest", changed(SAID["open_interest"], "result", "list", 0, "singleOpenInterest", to=REMOVED))
    part = read(venue, "open_interest", until=MIDNIGHT + 333_000, now=MIDNIGHT + 333_000)
    expect(part, OPEN_INTEREST, (MIDNIGHT, 51250.059, NAN, NAN))
    assert [fault.reason for fault in part.faults] == ["singleOpenInterest is missing"]
    assert part.covered is None


def test_funding_tells_its_interval_by_what_was_paid_before(venue: Canned) -> None:
    venue.put("instruments-info", changed(SAID["instruments"], "result", "list", 0, "fundingInterval", to=240))
    part = read(venue, "funding", until=MIDNIGHT + 14_500_000, now=MIDNIGHT + 14_500_000)
    # From eight hours to four: the settlement before midnight was asked for only to tell the first interval.
    expect(part, FUNDING, (MIDNIGHT, -0.00002511, 28_800.0), (MIDNIGHT + 14_400_000, 0.00004, 14_400.0))
    assert venue.questions[0]["startTime"] == str(MIDNIGHT - 16 * 3_600_000)


def test_funding_after_a_hole_has_no_interval(venue: Canned) -> None:
    venue.put("history", changed(SAID["funding"], "result", "list", 2, "fundingRateTimestamp", to="1767182400000"))
    part = read(venue, "funding", until=MIDNIGHT + 14_500_000, now=MIDNIGHT + 14_500_000)
    # The list says eight hours: the four that lie between the last two may have been one half of them.
    assert part.rows["interval_s"].tolist() == pytest.approx([NAN, NAN], nan_ok=True)


def test_account_ratio_is_long_over_short(venue: Canned) -> None:
    # market/long-short-ratio: buyRatio is "the ratio of the number of long position" holders.
    part = read(venue, "account_ratio", until=MIDNIGHT + 333_000, now=MIDNIGHT + 333_000)
    expect(part, ACCOUNT_RATIO, (MIDNIGHT, 1.0), (MIDNIGHT + 300_000, 0.64 / 0.36))


def test_depth_is_summed_within_bands_and_unknown_beyond(venue: Canned) -> None:
    # The middle is 100,000; the deepest bid lies 60 basis points below it, the deepest ask 90 above.
    bids = (149985.0 + 199900.0, 749285.0, 749285.0, NAN, NAN, NAN)
    asks = (50005.0 + 300180.0, 350185.0, 350185.0 + 200600.0, NAN, NAN, NAN)
    part = read(venue, "depth")
    expect(part, DEPTH, (MIDNIGHT + 120_000, 100_000.0, *bids, *asks))
    assert (part.covered, part.faults) == (None, ())


def test_brackets_begin_where_the_one_before_ends(venue: Canned) -> None:
    assert venue.connect(SOURCE).brackets(symbol="BTCUSDT") == (
        LeverageBracket(0.0, 100.0, 0.005),
        LeverageBracket(2_000_000.0, 90.0, 0.0056),
        LeverageBracket(2_600_000.0, 1.43, 0.6),
    )
