"""What could make new longs and new shorts differ in leverage, per step. Every weight is 0 until it earns its place.

tilt = flow (2 V_b / V - 1) + funding (rate per 8 h / 0.01 %, within +-5) + accounts ln(longs / shorts), with V_b the
volume that buyers took. Longs and shorts stay equal in number: only the mix of leverage moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from market.series import HOUR_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    from market.series import Records, Window

    from .grid import Floats, Ints

_FUNDING_MS: Final = 8 * HOUR_MS
_FUNDING_UNIT: Final = 1e-4
_MOST_FUNDING: Final = 5.0
# A sample older than this says nothing of a step [ms].
FUNDING_AGE_MS: Final = 2 * _FUNDING_MS
ACCOUNTS_AGE_MS: Final = HOUR_MS


@dataclass(frozen=True, slots=True)
class Tilt:
    """Weights of taker flow, funding and the ratio of accounts."""

    flow: float = 0.0
    funding: float = 0.0
    accounts: float = 0.0

    @property
    def reads(self) -> frozenset[str]:
        """The series that it needs beside bars."""
        wanted = {"funding": self.funding, "account_ratio": self.accounts}
        return frozenset(name for name, weight in wanted.items() if weight)

    def of_steps(
        self, window: Window, bars: Records, starts: Ints, end_ms: Ints
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """The tilt of each step, and where an input that has a weight is missing; that one then counts nothing."""
        total, is_missing = np.zeros(len(end_ms)), np.zeros(len(end_ms), np.bool_)
        inputs: list[tuple[float, Floats]] = []
        if self.flow:
            inputs.append((self.flow, _flow(bars, starts)))
        if self.funding:
            inputs.append((self.funding, _funding(window.funding, end_ms)))
        if self.accounts:
            inputs.append((self.accounts, _accounts(window.account_ratio, end_ms)))
        for weight, values in inputs:
            is_missing |= np.isnan(values)
            total += weight * np.nan_to_num(values)
        return total, is_missing


NO_TILT: Final = Tilt()


def _flow(bars: Records, starts: Ints) -> Floats:
    volume, bought = (np.add.reduceat(bars[name], starts) for name in ("volume", "taker_buy_volume"))
    share = np.divide(bought, volume, out=np.full(len(starts), np.nan), where=volume > 0.0)
    return np.asarray(2.0 * share - 1.0)


def _funding(rows: Records, end_ms: Ints) -> Floats:
    interval = np.where(np.isfinite(rows["interval_s"]), rows["interval_s"] * 1000.0, _FUNDING_MS)
    rate = rows["rate"] * (_FUNDING_MS / interval) / _FUNDING_UNIT
    return _newest(rows["time"], np.clip(rate, -_MOST_FUNDING, _MOST_FUNDING), end_ms, FUNDING_AGE_MS)


def _accounts(rows: Records, end_ms: Ints) -> Floats:
    return _newest(rows["time"], np.log(rows["ratio"]), end_ms, ACCOUNTS_AGE_MS)


def _newest(time: Ints, values: Floats, end_ms: Ints, age_ms: int) -> Floats:
    """The newest value at each end, NaN where there is none or it is too old."""
    if len(time) == 0:
        return np.full(len(end_ms), np.nan)
    at = np.searchsorted(time, end_ms, side="right") - 1
    is_known = (at >= 0) & (end_ms - time[np.maximum(at, 0)] < age_ms)
    return np.where(is_known, values[np.maximum(at, 0)], np.nan)
