"""Time series as numpy records: the words in which every room hands market data to the next.

Times are UTC epoch milliseconds. NaN means "the venue did not report it" and is allowed only in the
fields named in ``OPTIONAL``; it is never a zero and never a guess.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

Records: TypeAlias = npt.NDArray[np.void]

MINUTE_MS: Final = 60_000
STEP_MS: Final = 300_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ONE_MS: Final = dt.timedelta(milliseconds=1)


def epoch_ms(moment: dt.datetime) -> int:
    """Whole milliseconds from the epoch to an aware moment, rounded down."""
    return (moment - EPOCH) // _ONE_MS


def moment(ms: int) -> dt.datetime:
    """Undo ``epoch_ms``: the moment in UTC."""
    return EPOCH + ms * _ONE_MS


# open_time = left edge [ms]; prices [quote per base]; volumes [base], quote_volume [quote].
BAR: Final = np.dtype(
    [
        ("open_time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("quote_volume", "<f8"),
        ("taker_buy_volume", "<f8"),
    ]
)
# time = moment of the sample [ms]; open_interest [base], one-sided; open_interest_value [quote].
OPEN_INTEREST: Final = np.dtype(
    [("time", "<i8"), ("open_interest", "<f8"), ("open_interest_value", "<f8"), ("mark_price", "<f8")]
)
# rate = fraction of notional per interval, positive when longs pay shorts; interval_s = what it is paid for [s].
FUNDING: Final = np.dtype([("time", "<i8"), ("rate", "<f8"), ("interval_s", "<f8")])
# position_side: +1 a long was closed by force, -1 a short. ordinal tells identical prints of one millisecond apart.
LIQUIDATION: Final = np.dtype(
    [("time", "<i8"), ("position_side", "<i8"), ("price", "<f8"), ("quantity", "<f8"), ("ordinal", "<i8")]
)
# Sums of observed liquidations per period and side [quote]; no price level is known.
LIQUIDATION_TOTAL: Final = np.dtype([("open_time", "<i8"), ("long_usd", "<f8"), ("short_usd", "<f8")])
# What rests in the order book within so many basis points of the middle [quote]; NaN beyond what the venue showed.
DEPTH_BPS: Final = (10, 25, 50, 100, 200, 500)
_DEPTH_FIELDS: Final = tuple(f"{side}_{bps}" for side in ("bid", "ask") for bps in DEPTH_BPS)
DEPTH: Final = np.dtype([("time", "<i8"), ("mid", "<f8"), *((name, "<f8") for name in _DEPTH_FIELDS)])
# ratio = accounts that are net long over accounts that are net short.
ACCOUNT_RATIO: Final = np.dtype([("time", "<i8"), ("ratio", "<f8")])

OPTIONAL: Final = frozenset(
    {"quote_volume", "taker_buy_volume", "open_interest_value", "mark_price", "interval_s", *_DEPTH_FIELDS}
)

# The values of a row by field: times in milliseconds, None for NaN.
Fields: TypeAlias = dict[str, float | int | None]

SeriesName: TypeAlias = Literal[
    "bars", "mark_bars", "open_interest", "funding", "liquidations", "liquidation_totals", "depth", "account_ratio"
]


DTYPES: Final[dict[SeriesName, np.dtype[np.void]]] = {
    "bars": BAR,
    "mark_bars": BAR,
    "open_interest": OPEN_INTEREST,
    "funding": FUNDING,
    "liquidations": LIQUIDATION,
    "liquidation_totals": LIQUIDATION_TOTAL,
    "depth": DEPTH,
    "account_ratio": ACCOUNT_RATIO,
}


@dataclass(frozen=True, slots=True)
class Window:
    """What an estimator reads: bars in time order, each with its own length, and open interest samples.

    bars: BAR[n], strictly increasing open_time; bar_ms: int64[n], 60,000 or 300,000 [ms] for the bar of the same index;
    open_interest: OPEN_INTEREST[m], strictly increasing time. Bars of a five-minute step are either all of one minute
    or one of five minutes; a step without any bar is simply absent. mark_bars, mark_ms: the same of the mark price;
    funding: FUNDING[k], account_ratio: ACCOUNT_RATIO[k]. Those are empty unless asked for, and reach back far enough to
    tell what held at the first bar.
    """

    bars: Records
    bar_ms: npt.NDArray[np.int64]
    open_interest: Records
    mark_bars: Records = field(default_factory=lambda: np.empty(0, BAR))
    mark_ms: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    funding: Records = field(default_factory=lambda: np.empty(0, FUNDING))
    account_ratio: Records = field(default_factory=lambda: np.empty(0, ACCOUNT_RATIO))


def by_field(row: np.void) -> Fields | None:
    """Return one row by field, None for NaN; None where a value is infinite and can't be told in JSON."""
    values = dict(zip(row.dtype.names or (), row.item(), strict=True))
    if any(isinstance(value, float) and math.isinf(value) for value in values.values()):
        return None
    return {name: None if value != value else value for name, value in values.items()}  # noqa: PLR0124 only NaN differs


def from_fields(fields: Fields, *, dtype: np.dtype[np.void]) -> Records:
    """Undo ``by_field``: one row. Raises ValueError where the fields are not those of the series."""
    names = dtype.names or ()
    if set(fields) != set(names) or any(fields[name] is None and dtype[name].kind == "i" for name in names):
        raise ValueError("the fields are not those of the series")
    row = tuple(math.nan if (value := fields[name]) is None else value for name in names)
    return np.array([row], dtype=dtype)


@dataclass(frozen=True, slots=True)
class Validated:
    """Which rows are believed, where they stood, and why the others are not."""

    rows: Records
    index: npt.NDArray[np.int64]
    rejected: tuple[tuple[int, str], ...]


def validate(
    rows: Records, *, now_ms: int, timeframe: int = 0, is_mark: bool = False, is_vouched: bool = False
) -> Validated:
    """Part rows that can be true from those that can not.

    rows: any record array of this module, in any order; timeframe [s] is needed for bars and totals; ``is_mark``
    lets bars go without volume; ``is_vouched``: a person has looked, so values in quote need not fit the amounts.
    A repeated row is dropped silently when it is equal, rejected when it isn't; the first one stays. Rejected:
    (index, reason), ascending. Raises ValueError without a timeframe where one is needed.
    """
    time = _TIME[rows.dtype]
    if time == "open_time" and timeframe <= 0:
        raise ValueError("bars and totals can not be checked without their timeframe")
    reason = np.zeros(len(rows), dtype=np.int64)
    faults = [
        *_time_faults(rows[time], timeframe * 1000, now_ms, is_event=rows.dtype == LIQUIDATION),
        *_number_faults(rows, is_mark=is_mark),
        *_own_faults(rows, is_vouched=is_vouched),
    ]
    for code, (fault, _) in enumerate(faults, start=1):
        reason[fault & (reason == 0)] = code
    texts = ["", *(text for _, text in faults), "the same time came before with other values"]
    kept = _first_of_each(rows, np.flatnonzero(reason == 0), reason, len(texts) - 1)
    rejected = np.flatnonzero(reason)
    return Validated(rows[kept], kept, tuple((int(i), texts[reason[i]]) for i in rejected))


_Fault: TypeAlias = tuple[npt.NDArray[np.bool_], str]

# The first exchange opened later; a smaller number is most likely in seconds.
_EARLIEST_MS: Final = 1_230_768_000_000
_CLOCK_SKEW_MS: Final = 5_000
_LARGEST: Final = 1e15
_SMALLEST_PRICE: Final = 1e-12
_PRICES: Final = ("open", "high", "low", "close", "price", "mark_price", "mid")
# Everything that can't be less than zero; quote volume may be larger than any price or quantity.
_AMOUNTS: Final = ("volume", "taker_buy_volume", "open_interest", "quantity", "long_usd", "short_usd")
_VALUES: Final = ("quote_volume", "open_interest_value", *_DEPTH_FIELDS)
# How far the reported value may lie from quantity times mark price before the units must differ.
_VALUE_TOLERANCE: Final = 0.02
_LARGEST_RATIO: Final = 1e9


def _time_faults(times: npt.NDArray[np.int64], period_ms: int, now_ms: int, *, is_event: bool) -> list[_Fault]:
    grid = 1 if is_event else period_ms or MINUTE_MS
    latest = now_ms - period_ms if period_ms else now_ms + _CLOCK_SKEW_MS
    return [
        (times < _EARLIEST_MS, "the time is before any market"),
        (times > latest, "it ends in the future" if period_ms else "the time is in the future"),
        (times % grid != 0, "the time is not on the grid of its timeframe"),
    ]


def _number_faults(rows: Records, *, is_mark: bool) -> list[_Fault]:
    optional = OPTIONAL | {"volume"} if is_mark else OPTIONAL
    faults: list[_Fault] = []
    for name in rows.dtype.names or ():
        values = rows[name]
        if values.dtype.kind != "f":
            continue
        bad = np.isinf(values) if name in optional else ~np.isfinite(values)
        faults.append((bad, f"{name} is not a number"))
        if name in _PRICES:
            faults.append((values <= 0, f"{name} is zero or negative"))
            faults.append(((values < _SMALLEST_PRICE) | (values >= _LARGEST), f"{name} is beyond belief"))
        elif name in _AMOUNTS or name in _VALUES:
            faults.append((values < 0, f"{name} is negative"))
            largest = _LARGEST * (1000 if name in _VALUES else 1)
            faults.append((values >= largest, f"{name} is beyond belief"))
    return faults


def _own_faults(rows: Records, *, is_vouched: bool) -> list[_Fault]:
    checks = [_CHECKS.get(rows.dtype), None if is_vouched else _UNIT_CHECKS.get(rows.dtype)]
    return [fault for check in checks if check for fault in check(rows)]


def _bar_faults(rows: Records) -> list[_Fault]:
    high, low = rows["high"], rows["low"]
    return [
        (high < low, "high is below low"),
        ((rows["open"] < low) | (rows["open"] > high), "open is outside of low to high"),
        ((rows["close"] < low) | (rows["close"] > high), "close is outside of low to high"),
        (rows["taker_buy_volume"] > rows["volume"], "taker_buy_volume is more than volume"),
    ]


def _turnover_faults(rows: Records) -> list[_Fault]:
    with np.errstate(invalid="ignore", over="ignore"):  # rows with such numbers are rejected for those
        least, most = rows["volume"] * rows["low"], rows["volume"] * rows["high"]
        apart = (rows["quote_volume"] < least * (1 - _VALUE_TOLERANCE)) | (
            rows["quote_volume"] > most * (1 + _VALUE_TOLERANCE)
        )
    return [(apart, "quote_volume is not volume times a price between low and high")]


def _open_interest_faults(rows: Records) -> list[_Fault]:
    with np.errstate(invalid="ignore", over="ignore"):  # rows with such numbers are rejected for those
        computed = rows["open_interest"] * rows["mark_price"]
        apart = np.abs(rows["open_interest_value"] - computed) > _VALUE_TOLERANCE * np.abs(computed)
    return [(apart, "open_interest_value is not open_interest times mark_price")]


def _funding_faults(rows: Records) -> list[_Fault]:
    return [
        (np.abs(rows["rate"]) >= 1, "rate is not a fraction"),
        (rows["interval_s"] <= 0, "interval_s is zero or negative"),
    ]


def _account_ratio_faults(rows: Records) -> list[_Fault]:
    return [((rows["ratio"] <= 0) | (rows["ratio"] >= _LARGEST_RATIO), "ratio is beyond belief")]


def _liquidation_faults(rows: Records) -> list[_Fault]:
    return [
        (np.abs(rows["position_side"]) != 1, "position_side is neither long nor short"),
        (rows["quantity"] == 0, "quantity is zero"),
    ]


# The first field of a series is its time.
_TIME: Final = {dtype: (dtype.names or ("time",))[0] for dtype in DTYPES.values()}
_CHECKS: Final[dict[np.dtype[np.void], Callable[[Records], list[_Fault]]]] = {
    BAR: _bar_faults,
    FUNDING: _funding_faults,
    LIQUIDATION: _liquidation_faults,
    ACCOUNT_RATIO: _account_ratio_faults,
}
# What tells that two fields are in units that do not go together, or have changed places.
_UNIT_CHECKS: Final[dict[np.dtype[np.void], Callable[[Records], list[_Fault]]]] = {
    BAR: _turnover_faults,
    OPEN_INTEREST: _open_interest_faults,
}


def _first_of_each(
    rows: Records, good: npt.NDArray[np.int64], reason: npt.NDArray[np.int64], code: int
) -> npt.NDArray[np.int64]:
    """Keep the first of rows with one key, mark later ones of other values with ``code``."""
    keys = rows.dtype.names if rows.dtype == LIQUIDATION else (_TIME[rows.dtype],)
    assert keys is not None
    times = rows[keys[0]][good]
    if len(good) < 2 or bool((times[1:] > times[:-1]).all()):  # noqa: PLR2004 nothing to compare
        return good
    order = good[np.lexsort([good, *(rows[key][good] for key in reversed(keys))])]
    same = np.logical_and.reduce([rows[key][order[1:]] == rows[key][order[:-1]] for key in keys])
    group = np.concatenate(([0], np.cumsum(~same)))
    first = order[np.concatenate(([0], np.flatnonzero(~same) + 1))][group]
    equal = np.logical_and.reduce([_equal(rows[name][order], rows[name][first]) for name in rows.dtype.names or ()])
    reason[order[~equal]] = code
    return np.sort(order[order == first])


def _equal(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    both_nan = np.isnan(left) & np.isnan(right) if left.dtype.kind == "f" else False
    equal: npt.NDArray[np.bool_] = (left == right) | both_nan
    return equal
