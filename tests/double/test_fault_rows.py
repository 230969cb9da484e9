"""Each fault of a field or a row really happens, and nothing else does."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.double import ManualClock, serve, synthetic_market
from tests.double.catalogue import FAULTS
from tests.double.reading import get
from tests.double.tape import DAY, HOUR, MINUTE
from tests.double.test_fault_answers import BARS, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.double import Double

NOW = 20_440 * DAY + 12 * HOUR + 30_000
VALUES = {
    "not_a_number": lambda new, old: new == "NaN",
    "infinite": lambda new, old: math.isinf(float(new)),
    "enormous": lambda new, old: new in {"1e308", "1e-320"},
    "full_width_digits": lambda new, old: not new.isascii() and float(new) == float(old),
    "underscored": lambda new, old: new == "1_000",
    "thirty_digits": lambda new, old: len(new) - len(old) >= 30,
    "zero_price": lambda new, old: new == "0",
    "negative": lambda new, old: new == f"-{old}",
    "field_retyped": lambda new, old: new is None or new is True or new in ("", [old], {"value": old}),
}


@pytest.fixture(scope="module")
def served() -> Iterator[Double]:
    with serve(market=synthetic_market(3), clock=ManualClock(NOW)) as double:
        yield double


@pytest.fixture
def double(served: Double) -> Double:
    served.clear()
    served.acknowledged.clear()
    return served


def values(row: Any) -> list[Any]:  # noqa: ANN401 a list or an object
    return list(row.values()) if isinstance(row, dict) else list(row)


def both(double: Double, slug: str, name: str, **options: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401
    """Return the rows without a fault and with it; with it nothing is acknowledged."""
    clean = rows(slug, read(double, slug)[2])
    double.acknowledged.clear()
    double.inject(FAULTS[name](slug=slug, **options))
    return clean, rows(slug, read(double, slug)[2])


@pytest.mark.parametrize("slug", BARS)
@pytest.mark.parametrize("name", VALUES)
def test_one_value_is_replaced(double: Double, name: str, slug: str) -> None:
    clean, faulty = both(double, slug, name, seed=3)
    pairs = [
        (new, old)
        for row, was in zip(faulty, clean, strict=True)
        for new, old in zip(values(row), values(was), strict=True)
        if new != old or type(new) is not type(old)
    ]
    assert [VALUES[name](*pair) for pair in pairs] == [True]
    assert sum(map(len, double.acknowledged.values())) == 0
    assert rows(slug, read(double, slug)[2]) == clean


@pytest.mark.parametrize("slug", BARS)
def test_fields_are_renamed_lost_and_swapped(double: Double, slug: str) -> None:
    clean, renamed = both(double, slug, "field_renamed")
    assert [len(row) for row in renamed] == [len(row) for row in clean]
    moved = [(list(row) if isinstance(row, dict) else row) for row in renamed]
    assert all(new != (list(old) if isinstance(old, dict) else old) for new, old in zip(moved, clean, strict=True))
    clean, missing = both(double, slug, "field_missing")
    assert {len(row) for row in missing} == {len(clean[0]) - 1}
    clean, swapped = both(double, slug, "high_below_low")
    assert sum(new != old for new, old in zip(swapped, clean, strict=True)) == 1


def time_of(row: Any) -> int:  # noqa: ANN401 a list or an object
    return int(row["t"] if isinstance(row, dict) else row[0])


@pytest.mark.parametrize("slug", BARS)
def test_rows_are_doubled_shuffled_lost_and_cut_off(double: Double, slug: str) -> None:
    clean, faulty = both(double, slug, "duplicate_row")
    assert len(faulty) == len(clean) + 1
    assert [row for row in clean if row not in faulty] == []
    assert sum(map(len, double.acknowledged.values())) == len(clean) - 1
    clean, faulty = both(double, slug, "out_of_order")
    assert (sorted(faulty, key=str), faulty == clean) == (sorted(clean, key=str), False)
    clean, faulty = both(double, slug, "late_row")
    lost = [row for row in clean if row not in faulty]
    assert (len(lost), lost[0] in {0: clean[0], -1: clean[-1]}.values()) == (1, False)
    clean, faulty = both(double, slug, "page_boundary")
    assert faulty == (clean[:-1] if time_of(clean[0]) < time_of(clean[-1]) else clean[1:])


@pytest.mark.parametrize("slug", BARS)
def test_bars_lie_in_the_future_and_between_minutes(double: Double, slug: str) -> None:
    clean, faulty = both(double, slug, "future_bar")
    assert [time_of(row) - NOW > MINUTE for row in faulty if row not in clean] == [True]
    clean, faulty = both(double, slug, "misaligned")
    assert [time_of(row) % MINUTE for row in faulty if row not in clean] == [14_000]
    clean, faulty = both(double, slug, "open_as_closed")
    assert [time_of(row) for row in faulty if row not in clean] == [NOW // MINUTE * MINUTE - MINUTE]


@pytest.mark.parametrize(
    ("slug", "path", "query", "name"),
    [
        ("binance", "fapi/v1/openInterest", {"symbol": "BTCUSDT"}, "symbol"),
        ("bybit", "v5/market/kline", {"category": "linear", "symbol": "BTCUSDT", "interval": "1"}, "symbol"),
        ("okx", "api/v5/public/funding-rate-history", {"instId": "BTC-USDT-SWAP"}, "instId"),
    ],
)
def test_another_contract_answers(double: Double, slug: str, path: str, query: dict[str, str], name: str) -> None:
    double.inject(FAULTS["wrong_symbol"](slug=slug))
    answer = json.dumps(get(double, f"{slug}/{path}", **query))
    assert (f'"{name}": "{query[name]}"' in answer, f'"{name}": "ETH' in answer) == (False, True)
    assert f'"{name}": "{query[name]}"' in json.dumps(get(double, f"{slug}/{path}", **query))


def test_open_interest_changes_its_unit(double: Double) -> None:
    query = {"symbol": "BTCUSDT", "period": "5m", "limit": 2}
    was = get(double, "binance/futures/data/openInterestHist", **query)
    double.inject(FAULTS["unit_change"](slug="binance"))
    now = get(double, "binance/futures/data/openInterestHist", **query)
    factors = [float(new["sumOpenInterest"]) / float(old["sumOpenInterest"]) for new, old in zip(now, was, strict=True)]
    assert [factor for factor in (1_000, 0.001, 60_000) if factors == [pytest.approx(factor)] * 2] != []
    assert [row["sumOpenInterestValue"] for row in now] == [row["sumOpenInterestValue"] for row in was]


def test_the_same_seed_draws_the_same_fault(double: Double) -> None:
    drawn = [both(double, "okx", "negative", seed=seed)[1] for seed in (5, 5, 6)]
    assert (drawn[0] == drawn[1], drawn[0] == drawn[2]) == (True, False)
