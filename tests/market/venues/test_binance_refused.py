"""Binance's two futures APIs: what is not believed, and what their refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from market.series import validate
from market.sources.base import SourceError
from tests.market.venues.canned import NO_NUMBERS, REMOVED, Canned, Renamed, changed, said
from tests.market.venues.test_binance import COIN_M, LATER, USD_M, ask, inverse, linear

if TYPE_CHECKING:
    from market.series import SeriesName
    from market.sources.base import Part, Venue

__all__ = ["inverse", "linear"]  # fixtures

SAID: dict[Venue, dict[str, Any]] = {USD_M: said("binance"), COIN_M: said("binance-coin-m")}
# series -> path, the fields of a row by their place in the venue's row and the name that a fault gives them.
OHLC: dict[str | int, str] = {1: "open", 2: "high", 3: "low", 4: "close"}
ROWS: dict[SeriesName, tuple[str, dict[str | int, str]]] = {
    "bars": ("klines", {**OHLC, 5: "volume", 7: "amount", 9: "taker_volume", 10: "taker_amount"}),
    "mark_bars": ("markPriceKlines", {**OHLC}),
    "open_interest": ("openInterestHist", {name: name for name in ("sumOpenInterest", "sumOpenInterestValue")}),
    "funding": ("fundingRate", {"fundingRate": "fundingRate"}),
    "account_ratio": ("globalLongShortAccountRatio", {"longShortRatio": "longShortRatio"}),
}
FIELDS = [
    (series, place, kind)
    for series, (_, names) in ROWS.items()
    for place in names
    for kind, value in NO_NUMBERS.items()
    if value is not REMOVED or isinstance(place, str)  # a list without a place is one with others in it
]
TIMES: list[tuple[SeriesName, str | int, str]] = [
    ("bars", 0, "open_time"),
    ("bars", 6, "close_time"),
    ("open_interest", "timestamp", "timestamp"),
    ("funding", "fundingTime", "fundingTime"),
    ("account_ratio", "timestamp", "timestamp"),
]


def spoilt(canned: Canned, venue: Venue, series: SeriesName, place: str | int, to: object) -> tuple[int, Part]:
    """Spoil a field of the last row; return how many rows there were without that, and what is read."""
    path = ROWS[series][0]
    whole = len(ask(canned, venue, series, until=LATER, now=LATER).rows)
    answer = SAID[venue][path]
    canned.put(path, changed(answer, len(answer) - 1, place, to=to))
    return whole, ask(canned, venue, series, until=LATER, now=LATER)


@pytest.mark.parametrize(("series", "place", "kind"), FIELDS)
def test_field_that_is_no_number_is_a_fault_that_names_it(
    linear: Canned, series: SeriesName, place: str | int, kind: str
) -> None:
    whole, part = spoilt(linear, USD_M, series, place, NO_NUMBERS[kind])
    assert len(part.rows) == whole - 1
    assert [fault.reason.startswith(f"{ROWS[series][1][place]} is ") for fault in part.faults] == [True]
    assert part.covered is None


@pytest.mark.parametrize("to", [None, True, "soon", 1.5, -1, 10**15, [], "\uff11\uff12"])
@pytest.mark.parametrize(("series", "place", "name"), TIMES)
def test_time_that_is_none_is_a_fault_that_names_it(
    linear: Canned, series: SeriesName, place: str | int, name: str, to: object
) -> None:
    whole, part = spoilt(linear, USD_M, series, place, to)
    assert len(part.rows) == whole - 1
    assert [fault.reason.startswith(name) for fault in part.faults] == [True]


@pytest.mark.parametrize("by_ms", [14_000, 1, -60_000])
def test_bar_of_another_length_is_a_fault(linear: Canned, by_ms: int) -> None:
    end = SAID[USD_M]["klines"][2][6]
    whole, part = spoilt(linear, USD_M, "bars", 6, end + by_ms)
    assert len(part.rows) == whole - 1
    assert part.faults[0].reason == "close_time is not the last millisecond of the minute"


def test_bar_beside_the_minute_is_not_believed(linear: Canned) -> None:
    rows = [[row[0] + 14_000, *row[1:6], row[6] + 14_000, *row[7:]] for row in SAID[USD_M]["klines"]]
    linear.put("klines", rows)
    checked = validate(ask(linear, USD_M, "bars", until=LATER, now=LATER).rows, now_ms=LATER, timeframe=60)
    assert (len(checked.rows), len(checked.rejected)) == (0, 3)


@pytest.mark.parametrize("rows", [["x"], [None], [[]], [[1767225600000]], [{}], [[[]]]])
@pytest.mark.parametrize("series", ROWS)
def test_row_of_another_shape_is_a_fault(linear: Canned, series: SeriesName, rows: list[object]) -> None:
    linear.put(ROWS[series][0], rows)
    part = ask(linear, USD_M, series, until=LATER, now=LATER)
    assert (len(part.rows), len(part.faults), part.covered) == (0, 1, None)


@pytest.mark.parametrize("answer", [{}, {"rows": []}, "text", 5, "<html></html>", "[[1,"])
@pytest.mark.parametrize("series", [*ROWS, "depth"])
def test_answer_of_another_shape_is_refused(linear: Canned, series: SeriesName, answer: object) -> None:
    linear.put(ROWS[series][0] if series in ROWS else "depth", answer)
    if series == "depth" and isinstance(answer, dict):
        part = ask(linear, USD_M, series)
        assert (len(part.rows), len(part.faults)) == (0, 1)
        return
    with pytest.raises(SourceError) as caught:
        ask(linear, USD_M, series)
    assert caught.value.permanent is False


@pytest.mark.parametrize("series", ["open_interest", "funding", "account_ratio"])
def test_row_about_another_symbol_is_a_fault(linear: Canned, series: SeriesName) -> None:
    whole, part = spoilt(linear, USD_M, series, "symbol", "ETHUSDT")
    assert len(part.rows) == whole - 1
    assert part.faults[0].reason == "symbol is not 'BTCUSDT' but 'ETHUSDT'"


@pytest.mark.parametrize(
    ("series", "name", "to"),
    [
        ("open_interest", "pair", "ETHUSD"),
        ("open_interest", "contractType", "CURRENT_QUARTER"),
        ("account_ratio", "pair", "ETHUSD"),
        ("open_interest", "pair", REMOVED),
    ],
)
def test_sample_about_another_pair_is_a_fault(inverse: Canned, series: SeriesName, name: str, to: object) -> None:
    _, part = spoilt(inverse, COIN_M, series, name, to)
    assert (len(part.rows), part.faults[0].reason.startswith(name)) == (0, True)


def test_book_about_another_symbol_is_refused(inverse: Canned) -> None:
    inverse.put("depth", changed(SAID[COIN_M]["depth"], "symbol", to="ETHUSD_PERP"))
    with pytest.raises(SourceError, match="not 'BTCUSD_PERP' but 'ETHUSD_PERP'"):
        ask(inverse, COIN_M, "depth")


@pytest.mark.parametrize(
    ("side", "level", "to"),
    [
        ("bids", 0, ["0", "1"]),
        ("bids", 0, ["99990", "-1"]),
        ("asks", 0, ["99000", "1"]),
        ("asks", 1, ["100005", "1"]),
        ("asks", 0, []),
        ("bids", 0, [99990, "1"]),
        ("bids", 0, Renamed("bid")),
    ],
)
def test_impossible_book_is_a_fault(linear: Canned, inverse: Canned, side: str, level: int, to: object) -> None:
    path = (side,) if isinstance(to, Renamed) else (side, level)
    book = changed(SAID[USD_M]["depth"], *path, to=to)
    for canned, venue, symbol in ((linear, USD_M, "BTCUSDT"), (inverse, COIN_M, "BTCUSD_PERP")):
        canned.put("depth", book | {"symbol": symbol})
        part = ask(canned, venue, "depth")
        assert (len(part.rows), len(part.faults)) == (0, 1)


def test_ratio_that_contradicts_itself_is_a_fault(linear: Canned) -> None:
    whole, part = spoilt(linear, USD_M, "account_ratio", "longAccount", "0.6")
    assert len(part.rows) == whole - 1
    assert part.faults[0].reason == "longShortRatio does not go with longAccount"


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("filters", 0, "tickSize"), "0"),
        (("filters", 0, "filterType"), "PRICE"),
        (("filters",), REMOVED),
        (("contractType",), None),
        (("status",), REMOVED),
    ],
)
def test_unreadable_listing_is_no_shorter_list(linear: Canned, path: tuple[str | int, ...], to: object) -> None:
    linear.put("exchangeInfo", changed(SAID[USD_M]["exchangeInfo"], "symbols", 0, *path, to=to))
    with pytest.raises(SourceError, match="list of instruments"):
        linear.connect(USD_M).instruments()


# error-code; the status is what the gate hears.
@pytest.mark.parametrize(
    ("status", "code", "told", "permanent", "is_outage"),
    [
        (400, -1121, 400, True, False),
        (400, -1130, 400, False, False),
        (400, -4108, 400, False, False),
        (500, -1000, 503, False, True),
        (503, -1008, 503, False, True),
        (400, -1001, 503, False, True),
        (200, -1130, 200, False, False),
        (403, 0, 403, False, True),
        (451, 0, 451, False, True),
    ],
)
def test_refusal_is_told_by_status_and_code(
    linear: Canned, status: int, code: int, told: int, *, permanent: bool, is_outage: bool
) -> None:
    linear.status = status
    linear.put("klines", {"code": code, "msg": "no"})
    with pytest.raises(SourceError, match=r"binance (refuses|answered)") as caught:
        ask(linear, USD_M, "bars")
    assert (caught.value.permanent, caught.value.is_outage) == (permanent, is_outage)
    assert linear.gate.heard == [(told, None)]


@pytest.mark.parametrize(
    ("status", "retry_after", "wait"), [(418, "", 90.0), (418, "30", 90.0), (418, "120", 120.0), (429, "", 90.0)]
)
def test_ban_lasts_until_the_moment_that_is_named(linear: Canned, status: int, retry_after: str, wait: float) -> None:
    linear.status = status
    linear.headers = {"Date": "Thu, 01 Jan 2026 00:00:30 GMT"} | ({"Retry-After": retry_after} if retry_after else {})
    said_so = "Way too many requests; IP(203.0.113.7) banned until 1767225720000. Please use the websocket."
    linear.put("klines", {"code": -1003, "msg": said_so})
    with pytest.raises(SourceError, match="banned until") as caught:
        ask(linear, USD_M, "bars")
    assert (caught.value.retry_after_s, caught.value.is_outage) == (wait, False)
    assert linear.gate.heard == [(status, wait)]
