"""One column of a map: what is estimated at each price at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from heatmaps.core.bands import Banded, Factors
from heatmaps.core.grid import bin_price, bin_width, lies_below
from heatmaps.core.tile import DENSITY_BPS, LEVELS, NO_DATA, PROVISIONAL, TILE, usd_from_code
from market import queries as market
from market.series import DAY_MS, STEP_MS, epoch_ms, moment

from .doubts import conditions_in, join_spines, strips_behind
from .tiles import ask_strip_and_spines, strip_and_spines

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from heatmaps.core.doubts import Doubt
    from heatmaps.core.grid import Floats, Ints
    from heatmaps.core.strips import Strip
    from heatmaps.models import Heatmap
    from heatmaps.queries.doubts import Conditions
    from market.queries import Question
    from market.series import Records

_DAY: Final = DAY_MS // STEP_MS


@dataclass(frozen=True, slots=True)
class Slice:
    """One column: usd float64[n] per bin from ``bin_lo`` up [USD]; longs lie below the close, shorts above."""

    at: dt.datetime
    bin_lo: int
    usd: Floats
    close: float
    provisional: bool
    bin_bps: float
    factors: Factors

    @property
    def bins(self) -> Ints:
        """The bins' numbers."""
        return np.arange(self.bin_lo, self.bin_lo + len(self.usd))

    @property
    def prices(self) -> Floats:
        """The price at each bin's centre."""
        return bin_price(self.bins, bin_width(self.bin_bps))

    @property
    def edges(self) -> Floats:
        """The prices between which the bins lie: one more than there are bins."""
        edges = np.arange(self.bin_lo, self.bin_lo + len(self.usd) + 1)
        return np.asarray(np.exp(edges * bin_width(self.bin_bps)))

    @property
    def is_long(self) -> npt.NDArray[np.bool_]:
        """Where the estimate is of longs; elsewhere it is of shorts."""
        return lies_below(self.bins, self.close, bin_width(self.bin_bps))

    def ends(self) -> tuple[Floats, Floats]:
        """Both ends of each bin's 80 % interval [USD]."""
        return self.factors.ends(self.usd, self.is_long, (self.prices / self.close - 1.0) * 100.0)


class NewestDay(NamedTuple):
    """The column that ended last, None in a gap, and what is known of the day that ends with it."""

    slice: Slice | None
    day: Conditions


def latest_slice(*, heatmap: Heatmap, at: dt.datetime | None = None) -> Slice | None:
    """Return the column that ended last (by ``at``, if given), provisional or not; None in a gap or outside."""
    found = newest_day(heatmap=heatmap, at=at)
    return found.slice if found else None


def ask_newest_day(*, heatmap: Heatmap, at: dt.datetime | None) -> Question | None:
    """Ask for the tiles behind ``newest_day``; None before there is a column."""
    stop = _stop(heatmap, at)
    return None if stop is None else ask_strip_and_spines(heatmap=heatmap, cols=_strips(stop))


def newest_day(*, heatmap: Heatmap, at: dt.datetime | None = None, stored: Records | None = None) -> NewestDay | None:
    """Return the same with its day, read together; None before there is a column.

    stored: the answer to ``ask_newest_day``, where somebody has asked.
    """
    stop = _stop(heatmap, at)
    if stop is None:
        return None
    cols = _strips(stop)
    if stored is None:
        (stored,) = market.answer(ask_strip_and_spines(heatmap=heatmap, cols=cols))
    strip, spines = strip_and_spines(stored, cols)
    day = conditions_in(heatmap=heatmap, cols=cols, spine=join_spines(spines, cols), span=(stop - _DAY, stop))
    return NewestDay(_slice_of(heatmap, strip, stop - 1, day.doubts[_DAY - 1]), day)


def _stop(heatmap: Heatmap, at: dt.datetime | None) -> int | None:
    end = heatmap.drawn_through(at)
    return None if heatmap.built_from is None or end is None else epoch_ms(end) // LEVELS[0].step_ms


def _strips(stop: int) -> range:
    return strips_behind(first=stop - _DAY, stop=stop)


def _slice_of(heatmap: Heatmap, strip: Strip, period: int, doubt: Doubt) -> Slice | None:
    """Return the column ``period`` of a strip; None where it has none."""
    place = period % TILE
    rests_on = strip.spine[place]
    if rests_on["status"] in {0, NO_DATA}:
        return None
    bin_lo, codes = strip.column(place)
    return Slice(
        at=moment((period + 1) * LEVELS[0].step_ms),
        bin_lo=bin_lo,
        usd=usd_from_code(codes, heatmap.code_floor_usd) * (heatmap.bin_bps / DENSITY_BPS),
        close=float(rests_on["close"]),
        provisional=bool(rests_on["status"] == PROVISIONAL),
        bin_bps=heatmap.bin_bps,
        factors=doubt.widen(Factors.of(heatmap.release.parameters)),
    )


def within_distance(*, slice: Slice, close: float, pct: float) -> tuple[Banded, Banded]:  # noqa: A002 -- agreed name
    """Sum longs within ``pct`` % below and shorts within ``pct`` % above the close, each with its 80 % interval."""
    away, is_long = (slice.prices / close - 1.0) * 100.0, slice.is_long
    longs = is_long & (away <= 0.0) & (away >= -pct)
    shorts = ~is_long & (away >= 0.0) & (away <= pct)
    return (
        slice.factors.band_sum(slice.usd[longs], 1, away[longs]),
        slice.factors.band_sum(slice.usd[shorts], -1, away[shorts]),
    )
