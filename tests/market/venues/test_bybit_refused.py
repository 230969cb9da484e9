"""Bybit: what becomes a fault or an error instead of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from market.sources.base import SourceError
from market.sources.bybit import SOURCE
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Canned, Renamed, changed, said, serving
from tests.market.venues.test_bybit import ANSWERS, MIDNIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import SeriesName
    from market.sources.base import Part

SAID = said("bybit")
LATE = MIDNIGHT + 14_500_000
# series -> (path, answer, fields of a row that are numbers or times)
ROWS: dict[SeriesName, tuple[str, str, tuple[str | int, ...]]] = {
    "bars": ("kline", "kline", (1, 2, 3, 4, 5, 6)),
    "mark_bars": ("mark-price-kline", "mark_kline", (1, 2, 3, 4)),
    "open_interest": ("open-interest", "open_interest", ("singleOpenInterest",)),
    "funding": ("history", "funding", ("fundingRate",)),
    "account_ratio": ("account-ratio", "account_ratio", ("buyRatio", "sellRatio")),
}
FIELDS = [(series, field) for series, (_, _, fields) in ROWS.items() for field in fields]
TIMES: list[tuple[SeriesName, str | int]] = [
    ("bars", 0),
    ("mark_bars", 0),
    ("open_interest", "timestamp"),
    ("funding", "fundingRateTimestamp"),
    ("account_ratio", "timestamp"),
]
NO_TIMES = {
    "null": None,
    "text": "yesterday",
    "fraction": "1767225600000.5",
    "negative": -1,
    "full-width": "\uff11\uff17\uff16\uff17",
}


@pytest.fixture
def venue() -> Iterator[Canned]:
    with serving() as canned:
        for path, names in ANSWERS.items():
            canned.put(path, *(SAID[name] for name in names))
        yield canned


def read(venue: Canned, series: SeriesName) -> Part:
    return venue.connect(SOURCE).read(
        series=series, symbol="BTCUSDT", contract_size=1.0, since_ms=MIDNIGHT, until_ms=LATE, now_ms=LATE
    )


def spoilt(venue: Canned, series: SeriesName, row: int, field: str | int, to: object) -> tuple[int, Part]:
    """Return how many rows there are without the fault, and what is read with it."""
    path, answer, _ = ROWS[series]
    whole = len(read(venue, series).rows)
    if to is REMOVED and isinstance(field, int):
        venue.put(path, changed(SAID[answer], "result", "list", row, to=SAID[answer]["result"]["list"][row][:field]))
    else:
        venue.put(path, changed(SAID[answer], "result", "list", row, field, to=to))
    return whole, read(venue, series)


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize(("series", "field"), FIELDS)
def test_field_that_is_no_number_is_a_fault(venue: Canned, series: SeriesName, field: str | int, kind: str) -> None:
    whole, part = spoilt(venue, series, 0, field, NO_NUMBERS[kind])
    assert (len(part.rows), len(part.faults), part.covered) == (whole - 1, 1, None)
    names = ("start", "open", "high", "low", "close", "volume", "turnover")
    is_cut = kind == "missing" and isinstance(field, int)  # all that follows is missing, too
    assert ("is missing" if is_cut else names[field] if isinstance(field, int) else field) in part.faults[0].reason


@pytest.mark.parametrize("kind", NO_TIMES)
@pytest.mark.parametrize(("series", "field"), TIMES)
def test_time_that_is_none_is_a_fault(venue: Canned, series: SeriesName, field: str | int, kind: str) -> None:
    whole, part = spoilt(venue, series, 0, field, NO_TIMES[kind])
    assert (len(part.rows), len(part.faults)) == (whole - 1, 1)


@pytest.mark.parametrize("series", ["open_interest", "funding", "account_ratio"])
def test_renamed_field_is_a_fault(venue: Canned, series: SeriesName) -> None:
    field = ROWS[series][2][0]
    whole, part = spoilt(venue, series, 0, field, Renamed("value"))
    assert (len(part.rows), [fault.reason for fault in part.faults]) == (whole - 1, [f"{field} is missing"])


def test_new_field_is_let_through(venue: Canned) -> None:
    whole, part = spoilt(venue, "funding", 0, "brandNew", {"a": 1})
    assert (len(part.rows), part.faults) == (whole, ())


def test_ratio_without_sellers_is_a_fault(venue: Canned) -> None:
    whole, part = spoilt(venue, "account_ratio", 0, "sellRatio", "0")
    assert len(part.rows) == whole - 1
    assert part.faults[0].reason == "sellRatio is zero or negative"


@pytest.mark.parametrize("series", ["funding", "account_ratio"])
def test_row_of_another_symbol_is_a_fault(venue: Canned, series: SeriesName) -> None:
    whole, part = spoilt(venue, series, 0, "symbol", "ETHUSDT")
    assert len(part.rows) == whole - 1
    assert part.faults[0].reason == "symbol is not 'BTCUSDT' but 'ETHUSDT'"


@pytest.mark.parametrize(
    ("series", "field"), [("bars", "symbol"), ("mark_bars", "symbol"), ("open_interest", "symbol"), ("depth", "s")]
)
def test_answer_about_another_symbol_is_refused(venue: Canned, series: SeriesName, field: str) -> None:
    path, answer = {"depth": ("orderbook", "orderbook")}.get(series) or ROWS[series][:2]
    venue.put(path, changed(SAID[answer], "result", field, to="ETHUSDT"))
    with pytest.raises(SourceError, match="not 'BTCUSDT' but 'ETHUSDT'") as caught:
        read(venue, series)
    assert caught.value.permanent is False


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        '"ok"',
        '{"retCode": 0}',
        '{"retCode": 0, "result": null}',
        '{"retCode": 0, "result": {"symbol": "BTCUSDT", "list": {}}}',
        '{"retCode": 0, "result": {"symbol": "BTCUSDT"}}',
        '{"retCode": 0, "result": {"symbol": "BTCUSDT", "list": [["1767225600000", "8',
        "<html><body>maintenance</body></html>",
        "",
    ],
)
def test_answer_of_another_shape_is_refused(venue: Canned, answer: str) -> None:
    venue.put("kline", answer)
    with pytest.raises(SourceError) as caught:
        read(venue, "bars")
    assert caught.value.permanent is False


@pytest.mark.parametrize(
    ("side", "level", "to"),
    [
        ("b", 0, ["0", "1"]),
        ("b", 0, ["99990", "-1"]),
        ("a", 0, ["99000", "1"]),
        ("a", 1, ["100005", "1"]),
        ("a", 0, []),
    ],
)
def test_impossible_book_is_a_fault(venue: Canned, side: str, level: int, to: list[str]) -> None:
    venue.put("orderbook", changed(SAID["orderbook"], "result", side, level, to=to))
    part = read(venue, "depth")
    assert (len(part.rows), len(part.faults)) == (0, 1)


def test_unreadable_listing_is_no_shorter_list(venue: Canned) -> None:
    spoilt_list = changed(SAID["instruments"], "result", "list", 0, "priceFilter", "tickSize", to="0")
    venue.put("instruments-info", spoilt_list, SAID["instruments_last"])
    with pytest.raises(SourceError, match="tickSize is not a step above zero"):
        venue.connect(SOURCE).instruments()


# v5/error, v5/rate-limit; the status is what the gate hears.
@pytest.mark.parametrize(
    ("code", "status", "permanent", "is_outage"),
    [
        (10001, 200, True, False),
        (10006, 429, False, False),
        (10018, 429, False, False),
        (10000, 503, False, True),
        (10016, 503, False, True),
        (33004, 200, False, False),
    ],
)
def test_refusal_is_told_by_its_code(
    venue: Canned, code: int, status: int, *, permanent: bool, is_outage: bool
) -> None:
    venue.put("kline", {"retCode": code, "retMsg": "no", "result": {}, "retExtInfo": {}, "time": LATE})
    with pytest.raises(SourceError, match=f"{code} 'no'") as caught:
        read(venue, "bars")
    assert (caught.value.permanent, caught.value.is_outage) == (permanent, is_outage)
    assert venue.gate.heard == [(status, None)]


def test_rate_limit_waits_until_the_venues_reset(venue: Canned) -> None:
    venue.headers = {"X-Bapi-Limit-Reset-Timestamp": "4102444807000", "Date": "Fri, 01 Jan 2100 00:00:00 GMT"}
    venue.put("kline", {"retCode": 10006, "retMsg": "Too many visits!", "result": {}})
    with pytest.raises(SourceError) as caught:
        read(venue, "bars")
    assert caught.value.retry_after_s == 7.0
    assert venue.gate.heard == [(429, 7.0)]


def test_too_frequent_access_is_a_ban_of_ten_minutes(venue: Canned) -> None:
    venue.status = 403
    venue.put("kline", "403, access too frequent")
    with pytest.raises(SourceError, match="too frequent"):
        read(venue, "bars")
    assert venue.gate.heard == [(418, 600.0)]


def test_country_that_is_not_served_is_an_outage(venue: Canned) -> None:
    venue.status = 403
    venue.put(
        "kline", "<html>The Amazon CloudFront distribution is configured to block access from your country.</html>"
    )
    with pytest.raises(SourceError) as caught:
        read(venue, "bars")
    assert caught.value.is_outage is True


def test_series_that_is_not_offered_is_refused_for_good(venue: Canned) -> None:
    with pytest.raises(SourceError, match="does not tell liquidation_totals") as caught:
        read(venue, "liquidation_totals")
    assert caught.value.permanent is True
    assert venue.questions == []
