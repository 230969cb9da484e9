"""What every context layer keeps to: hourly inputs on an even grid, a reading of each hour, and a reason where none is.

A layer looks at nothing after its hour, and at a bounded past before it: what it said of an hour is said again later,
whatever the window began with. A value that is missing is NaN and stays a hole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from market.series import ACCOUNT_RATIO, BAR, DEPTH, FUNDING, HOUR_MS, OPEN_INTEREST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints
    from heatmaps.core.structure import Range, ValueArea
    from market.series import Records

# gauge: a number with its percentile; state: a word with its numbers; levels: prices that are drawn on the chart.
Kind: TypeAlias = Literal["gauge", "state", "levels"]
Need: TypeAlias = Literal["bars", "open_interest", "funding", "depth", "account_ratio"]

DAY: Final = 24
# A percentile is over so many hours up to the one it is of, and over at least so many that are known.
REFERENCE: Final = 90 * DAY
LEAST: Final = 14 * DAY
# Of so many newest hours percentiles and states are told.
HISTORY: Final = 30 * DAY
# The longest memory of a value that has a percentile.
MEMORY: Final = 14 * DAY
WINDOW: Final = REFERENCE + HISTORY + MEMORY
# How long funding holds where its interval is not told, and how late the next print may be [ms].
FUNDING_HOLD_MS: Final = 8 * HOUR_MS
FUNDING_GRACE_MS: Final = 10 * 60_000

# Why there is nothing.
FLAT: Final = "the price stood still"


@dataclass(frozen=True, slots=True)
class Hours:
    """Stored series laid on an even grid of hours; everything float64[n] but ``ends`` and ``depth``, NaN for a hole.

    ends: int64[n], end of each hour [ms]; open to taker_buy_volume: the bar that ends there [quote per base; base];
    open_interest: the last sample inside the hour [base]; funding: the rate in force at its end [fraction];
    funding_hours: what that rate is paid for [h]; account_ratio: the last inside the hour; depth: DEPTH[n].
    """

    ends: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    taker_buy_volume: Floats
    open_interest: Floats
    funding: Floats
    funding_hours: Floats
    account_ratio: Floats
    depth: Records

    def __len__(self) -> int:
        """The number of hours."""
        return len(self.ends)

    def part(self, start: int, stop: int) -> Hours:
        """The hours from ``start`` up to ``stop``."""
        return replace(self, **{name: getattr(self, name)[start:stop] for name in self.__slots__})

    @property
    def logs(self) -> tuple[Floats, Floats, Floats]:
        """Logarithms of high, low and close."""
        return np.log(self.high), np.log(self.low), np.log(self.close)

    @classmethod
    def of(cls, *, end_ms: int, count: int, series: Mapping[str, Records]) -> Hours:
        """Lay records on the ``count`` hours that end with ``end_ms``, a whole hour; a series that is absent is a hole.

        series: BAR of one hour, OPEN_INTEREST, FUNDING, DEPTH, ACCOUNT_RATIO by name, each ascending.
        """
        ends = end_ms - HOUR_MS * np.arange(count - 1, -1, -1)
        bars = _lay_bars(series.get("bars", np.empty(0, BAR)), ends)
        samples = {
            name: lay_samples(series.get(name, np.empty(0, dtype)), ends, dtype)
            for name, dtype in (("open_interest", OPEN_INTEREST), ("depth", DEPTH), ("account_ratio", ACCOUNT_RATIO))
        }
        rate, hours = lay_funding(series.get("funding", np.empty(0, FUNDING)), ends)
        names = ("open", "high", "low", "close", "volume", "taker_buy_volume")
        return cls(
            ends=ends,
            **{name: bars[name] for name in names},
            open_interest=_above_zero(samples["open_interest"]["open_interest"]),
            funding=rate,
            funding_hours=hours,
            account_ratio=samples["account_ratio"]["ratio"],
            depth=samples["depth"],
        )


def _holes(dtype: np.dtype[np.void], count: int) -> Records:
    rows = np.zeros(count, dtype)
    for name in dtype.names or ():
        if dtype[name].kind == "f":
            rows[name] = np.nan
    return rows


def _lay_bars(bars: Records, ends: Ints) -> Records:
    rows = _holes(BAR, len(ends))
    at = (bars["open_time"] + HOUR_MS - ends[0]) // HOUR_MS
    used = (at >= 0) & (at < len(ends))
    rows[at[used]] = bars[used]
    return rows


def lay_samples(samples: Records, ends: Ints, dtype: np.dtype[np.void]) -> Records:
    """The last sample inside each hour, ``end - 1 h < time <= end``; NaN where there is none."""
    rows = _holes(dtype, len(ends))
    found = np.searchsorted(samples["time"], ends, side="right") - 1
    held = found >= 0
    held[held] = samples["time"][found[held]] > ends[held] - HOUR_MS
    rows[held] = samples[found[held]]
    return rows


def lay_funding(rates: Records, ends: Ints) -> tuple[Floats, Floats]:
    """The rate in force at each end, and what it is paid for [h]; a rate holds for its interval and not beyond.

    An interval that the venue did not tell is the distance to the print before, where that is shorter than eight hours.
    """
    found = np.searchsorted(rates["time"], ends, side="right") - 1
    gap = np.minimum(np.diff(rates["time"], prepend=rates["time"][:1] - FUNDING_HOLD_MS), FUNDING_HOLD_MS)
    told = rates["interval_s"] * 1000.0
    hold = np.where(np.isnan(told), gap, told)
    # Prints come some seconds late; an interval is whole hours.
    hold = np.maximum(np.round(hold / HOUR_MS), 1.0) * HOUR_MS
    held = found >= 0
    held[held] = ends[held] - rates["time"][found[held]] <= hold[found[held]] + FUNDING_GRACE_MS
    rate, hours = np.full(len(ends), np.nan), np.full(len(ends), np.nan)
    rate[held], hours[held] = rates["rate"][found[held]], hold[found[held]] / HOUR_MS
    return rate, hours


def _above_zero(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


class Level(NamedTuple):
    """A price, or two, that a chart draws: a line or a band from ``from_ms`` on, a point at it.

    is_strong: drawn solid; of a point, a high. A line and a point have one price: low is high.
    """

    label: str
    style: Literal["line", "band", "point"]
    from_ms: int
    low: float
    high: float
    is_strong: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a layer says of each hour.

    values: float64[n] in the layer's unit, of a state its number in ``Layer.states``, of levels the middle one's price;
    percentiles: float64[n], of the newest HISTORY hours, NaN before and where too little is known; known: int64[n], how
    many hours a percentile is over; numbers: what the newest hour's word rests on, by name; levels: what is drawn;
    found: a range or value area as ``heatmaps.core.structure`` has it, of a layer that finds one;
    reason: why the newest hour has no value, empty where it has one.
    """

    values: Floats
    percentiles: Floats
    known: Ints
    numbers: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, Floats] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    found: Range | ValueArea | None = None
    reason: str = ""

    def newest(self, count: int) -> Reading:
        """The same of the newest hours alone."""
        return replace(
            self,
            values=self.values[-count:],
            percentiles=self.percentiles[-count:],
            known=self.known[-count:],
            series={name: values[-count:] for name, values in self.series.items()},
        )


class Layer(Protocol):
    """A context layer: one file and one line in LAYERS."""

    slug: str
    title: str
    kind: Kind
    # Of the values; what follows the number on pages.
    unit: str
    note: str
    digits: int
    is_signed: bool
    # What the number or the word means, with its thresholds.
    rule: str
    # Which stored series, and which layers before it in LAYERS.
    needs: tuple[Need, ...]
    rests_on: tuple[str, ...]
    # The words of a state, by its number.
    states: tuple[str, ...]

    def compute(self, hours: Hours, known: Mapping[str, Reading]) -> Reading:
        """Read every hour; ``known`` holds the readings of ``rests_on``. Never raises for what the data lacks."""
        ...


def gauge(values: Floats, *, reason: str, series: Mapping[str, Floats] | None = None) -> Reading:
    """A reading of numbers with their percentiles; ``reason`` is dropped where the newest hour has a value."""
    percentiles, known = percentile_ranks(values)
    has_value = len(values) > 0 and bool(np.isfinite(values[-1]))
    return Reading(values, percentiles, known, series=series or {}, reason="" if has_value else reason)


def state(values: Floats, numbers: Mapping[str, float], *, reason: str) -> Reading:
    """A reading of words by number."""
    has_value = len(values) > 0 and bool(np.isfinite(values[-1]))
    empty = np.full(len(values), np.nan)
    counts = np.zeros(len(values), np.int64)
    return Reading(values, empty, counts, numbers=numbers, reason="" if has_value else reason)


def percentile_ranks(values: Floats) -> tuple[Floats, Ints]:
    """Rank each value of the newest HISTORY hours among the known ones of the REFERENCE hours that end with it.

    (ranks float64[n], 0 to 100; counts int64[n]): the share below it plus half of the share equal to it, itself
    counted; NaN where fewer than LEAST are known. Ties are halved because a rate that rests at its base is neither
    high nor low.
    """
    count = len(values)
    start = max(0, count - HISTORY)
    ranks, known = np.full(count, np.nan), np.zeros(count, np.int64)
    past = np.concatenate((np.full(max(0, REFERENCE - 1 - start), np.nan), values[max(0, start - REFERENCE + 1) :]))
    is_known = np.concatenate(([0], np.cumsum(~np.isnan(past))))
    known[start:] = is_known[REFERENCE:] - is_known[:-REFERENCE] if count else 0
    enough = ~np.isnan(values[start:]) & (known[start:] >= LEAST)
    if enough.any():
        # Ranks need the order alone, and small whole numbers compare fastest; a hole lies above all.
        order = np.unique(past, return_inverse=True)[1].astype(np.int16)
        order[np.isnan(past)] = np.iinfo(np.int16).max
        twice = _twice_below(order, count - start)
        ranks[start:] = np.where(enough, 50.0 * twice / np.maximum(known[start:], 1), np.nan)
    return ranks, known


def _twice_below(order: npt.NDArray[np.int16], places: int) -> Ints:
    """Of each of the newest places: how many of the REFERENCE up to it lie below it, plus how many lie not above it.

    Most of a window is in all of the others and is sorted once; what remains of each is again a window that slides,
    over what comes before that part and after it.
    """
    now = order[-places:]
    shared = np.sort(order[places - 1 : REFERENCE])
    twice = np.searchsorted(shared, now) + np.searchsorted(shared, now, side="right")
    if places > 1:
        windows = sliding_window_view(np.concatenate((order[: places - 1], order[REFERENCE:])), places - 1)
        twice += _count(windows < now[:, None]) + _count(windows <= now[:, None])
    return twice


def _count(flags: npt.NDArray[np.bool_]) -> Ints:
    """How many of each row are True; five times faster than count_nonzero along an axis."""
    counts: Ints = np.add.reduce(flags.view(np.uint8), axis=1, dtype=np.int16).astype(np.int64)
    return counts


def short_of(hours: int) -> str:
    """Why a layer that looks so many hours back has nothing yet."""
    span = f"{hours // DAY} d" if hours % DAY == 0 and hours > DAY else f"{hours} h"
    return f"less than {span} stored, or hours missing in them"
