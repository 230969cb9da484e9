"""One column of a map: what is estimated at each price at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from heatmaps.core.bands import Banded, Factors
from heatmaps.core.grid import bin_price, bin_width, lies_below
from heatmaps.core.tile import DENSITY_BPS, LEVELS, NO_DATA, PROVISIONAL, TILE, usd_from_code
from market.series import epoch_ms, moment

from .doubts import column_doubt
from .tiles import read_strip

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints
    from heatmaps.core.strips import Strip
    from heatmaps.models import Heatmap


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


def latest_slice(*, heatmap: Heatmap, at: dt.datetime | None = None) -> Slice | None:
    """Return the column that ended last (by ``at``, if given), provisional or not; None in a gap or outside."""
    end = heatmap.drawn_through(at)
    if heatmap.built_from is None or end is None:
        return None
    period = epoch_ms(end) // LEVELS[0].step_ms - 1
    strip = read_strip(heatmap=heatmap, col=period // TILE)
    return slice_of(heatmap=heatmap, strip=strip, period=period)


def slice_of(*, heatmap: Heatmap, strip: Strip, period: int) -> Slice | None:
    """Return the column ``period`` of a strip that was read; None where it has none."""
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
        factors=column_doubt(heatmap=heatmap, end_ms=(period + 1) * LEVELS[0].step_ms).widen(
            Factors.of(heatmap.release.parameters)
        ),
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
