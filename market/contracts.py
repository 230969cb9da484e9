"""At which price a position is liquidated, by each venue's own rule, over arrays.

Notation: s = position_side (+1 long, -1 short), E = entry price [quote per base], L = leverage (entry value over
margin), m = maintenance margin rate, f = fee rate that the venue adds to the requirement, D = maintenance deduction
(the venue's "maintenance amount") in the currency of the margin. Isolated margin E/L per unit, nothing added to it.
A result of NaN means that no price liquidates the position (a long at or below zero, an inverse short at 1x).

Sources: Binance FAQ "How to calculate liquidation price of USDⓈ-M / COIN-M futures contracts"; Bybit help
"Liquidation price (USDT contract)" and "Liquidation price calculation under isolated mode"; Hyperliquid docs,
trading/liquidations; OKX help as implemented in freqtrade's ``dry_run_liquidation_price``; BitMEX, app/liquidation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from market.series import Window

Floats: TypeAlias = npt.NDArray[np.float64]

# Venues tell to repeat the choice of bracket until it is stable; ten rounds are more than any table needs.
_MOST_ROUNDS: Final = 10


class LiquidationRule(Enum):
    """What the maintenance margin is measured on, and in which coin the margin lies."""

    LINEAR_MARK = "linear, maintenance on the value at the mark price"
    LINEAR_ENTRY = "linear, maintenance on the value at entry"
    HYPERLIQUID = "linear, from the margin available beyond maintenance"
    INVERSE_MARK = "inverse, maintenance on the value at the mark price"
    INVERSE_ENTRY = "inverse, maintenance on the value at entry"


# (venue, contract type) -> rule; a venue that isn't named uses its contract type's mark-based rule. Bybit is among
# those: its help page of 27 May 2026, "Liquidation price calculation under isolated mode (UTA)", measures maintenance
# on the value at the mark price. The closing fee stands on both sides of its margin equation and falls out.
VENUE_RULES: Final[Mapping[tuple[str, str], LiquidationRule]] = {
    ("hyperliquid", "linear"): LiquidationRule.HYPERLIQUID,
    ("bitmex", "inverse"): LiquidationRule.INVERSE_ENTRY,
}


# What a venue adds to the maintenance rate for closing the position. OKX: position value x (maintenance rate + fee
# rate), as freqtrade implements it; its taker fee at the regular level.
FEE_RATES: Final[Mapping[str, float]] = {"okx": 0.0005}


def rule_for(*, venue: str, contract_type: str) -> LiquidationRule:
    """Return the rule by which a venue liquidates this type of contract."""
    by_type = LiquidationRule.INVERSE_MARK if contract_type == "inverse" else LiquidationRule.LINEAR_MARK
    return VENUE_RULES.get((venue, contract_type), by_type)


@dataclass(frozen=True, slots=True)
class Brackets:
    """A venue's table of leverage brackets, smallest positions first.

    floor: float64[n] notional from which a bracket holds [quote], ascending from 0; max_leverage: float64[n],
    not ascending; maintenance_rate: float64[n], ascending. Raises ValueError otherwise.
    """

    floor: Floats
    max_leverage: Floats
    maintenance_rate: Floats

    def __post_init__(self) -> None:
        shapes = {self.floor.shape, self.max_leverage.shape, self.maintenance_rate.shape}
        if len(shapes) != 1 or self.floor.ndim != 1 or len(self.floor) == 0:
            raise ValueError("brackets need floors, leverages and rates of one length")
        if self.floor[0] != 0 or (np.diff(self.floor) <= 0).any():
            raise ValueError("bracket floors must ascend from 0")
        if (np.diff(self.max_leverage) > 0).any() or (np.diff(self.maintenance_rate) < 0).any():
            raise ValueError("with size, leverage may not rise and maintenance may not fall")
        if not ((self.maintenance_rate > 0) & (self.maintenance_rate < 1)).all() or (self.max_leverage < 1).any():
            raise ValueError("maintenance rates lie between 0 and 1, leverages from 1 on")

    @property
    def deduction(self) -> Floats:
        """Maintenance deduction of each bracket [quote]: cum_n = floor_n (m_n - m_(n-1)) + cum_(n-1), cum_0 = 0.

        It makes the requirement m * value - cum continuous at the floors.
        """
        steps = self.floor[1:] * np.diff(self.maintenance_rate)
        return np.concatenate(([0.0], np.cumsum(steps)))

    def allowing(self, leverage: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the largest bracket that still allows each leverage; the smallest one for more than any allows."""
        count = np.searchsorted(-self.max_leverage, -np.asarray(leverage, dtype=np.float64), side="right")
        return np.maximum(count - 1, 0)

    def deduction_share(self) -> Floats:
        """Maintenance deduction of each bracket over the value of a position at its floor; 0 for the smallest."""
        return np.divide(self.deduction, self.floor, out=np.zeros_like(self.floor), where=self.floor > 0)

    def index_at(self, notional: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the bracket that holds for each notional [quote]; a floor belongs to the bracket that it opens."""
        return np.maximum(np.searchsorted(self.floor, notional, side="right") - 1, 0)


def linear_mark(s: Floats, inverse_leverage: Floats, m: Floats, f: Floats, d: Floats) -> Floats:
    """LP/E = (1 - s/L - s d) / (1 - s (m + f)); d = D over entry value. From margin + s(P - E) = (m + f)P - D."""
    return (1 - s * inverse_leverage - s * d) / (1 - s * (m + f))


def linear_entry(s: Floats, inverse_leverage: Floats, m: Floats, f: Floats, d: Floats) -> Floats:
    """LP/E = 1 - s (1/L - (m + f) + d): Bybit's older form, maintenance on the entry value."""
    return 1 - s * (inverse_leverage - (m + f) + d)


def hyperliquid(s: Floats, inverse_leverage: Floats, m: Floats, f: Floats, d: Floats) -> Floats:
    """LP/E = 1 - s a / (1 - s m), a = margin available = 1/L - m + d; m = 1 / (2 max leverage). Fee is not charged."""
    del f
    return 1 - s * (inverse_leverage - m + d) / (1 - s * m)


def inverse_mark(s: Floats, inverse_leverage: Floats, m: Floats, f: Floats, d: Floats) -> Floats:
    """LP/E = (1 + s (m + f)) / (1 + s/L + s d): Binance COIN-M, Bybit inverse; d = D in coin over N/E."""
    return _quotient(1 + s * (m + f), 1 + s * inverse_leverage + s * d)


def inverse_entry(s: Floats, inverse_leverage: Floats, m: Floats, f: Floats, d: Floats) -> Floats:
    """LP/E = 1 / (1 + s (1/L - (m + f) + d)): BitMEX, which adds taker fee and next funding to m through f."""
    return _quotient(np.ones_like(s), 1 + s * (inverse_leverage - (m + f) + d))


def _quotient(above: Floats, below: Floats) -> Floats:
    """Divide where the denominator is positive; elsewhere no price liquidates."""
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


_FORMULAS: Final[Mapping[LiquidationRule, Callable[[Floats, Floats, Floats, Floats, Floats], Floats]]] = {
    LiquidationRule.LINEAR_MARK: linear_mark,
    LiquidationRule.LINEAR_ENTRY: linear_entry,
    LiquidationRule.HYPERLIQUID: hyperliquid,
    LiquidationRule.INVERSE_MARK: inverse_mark,
    LiquidationRule.INVERSE_ENTRY: inverse_entry,
}


def liquidation_ratio(  # noqa: PLR0913 the terms of a contract
    *,
    rule: LiquidationRule,
    position_side: npt.ArrayLike,
    leverage: npt.ArrayLike,
    maintenance_rate: npt.ArrayLike,
    fee_rate: npt.ArrayLike = 0.0,
    deduction: npt.ArrayLike = 0.0,
) -> Floats:
    """Return liquidation price over entry price, broadcast over all arguments.

    position_side: +1 or -1; leverage >= 1 (infinite for "margin all gone"); rates as fractions; deduction as a
    fraction of the entry value. NaN where no price liquidates. See the module for the formulas' sources.
    """
    s, ell, m, f, d = np.broadcast_arrays(
        *(
            np.asarray(term, dtype=np.float64)
            for term in (position_side, leverage, maintenance_rate, fee_rate, deduction)
        )
    )
    ratio = _FORMULAS[rule](s, 1 / ell, m, f, d)
    return np.where(ratio > 0, ratio, np.nan)


@dataclass(frozen=True, slots=True)
class Liquidations:
    """Prices [quote per base], and the bracket (index) whose terms gave each."""

    price: Floats
    bracket: npt.NDArray[np.intp]


def liquidation_price(  # noqa: PLR0913 a position and its contract
    *,
    rule: LiquidationRule,
    brackets: Brackets,
    position_side: npt.ArrayLike,
    entry: npt.ArrayLike,
    quantity: npt.ArrayLike,
    leverage: npt.ArrayLike,
    fee_rate: float = 0.0,
) -> Liquidations:
    """Return liquidation prices of linear positions of known size, with the bracket of the notional *at that price*.

    quantity [base] > 0. The bracket is chosen again until it is stable; where it isn't after ten rounds, the largest
    bracket seen holds. A position without a liquidation price, and every one whose maintenance is measured on the
    entry value, has the bracket of its entry. Inverse brackets are
    measured in coin: use ``liquidation_ratio`` with the deduction of the bracket. Raises ValueError for inverse rules.
    """
    if rule in {LiquidationRule.INVERSE_MARK, LiquidationRule.INVERSE_ENTRY}:
        raise ValueError("brackets by quote notional are for linear contracts")
    side, price, size, ell = np.broadcast_arrays(
        *(np.asarray(term, dtype=np.float64) for term in (position_side, entry, quantity, leverage))
    )
    at_entry = chosen = widest = brackets.index_at(size * price)
    for _ in range(_MOST_ROUNDS):
        found = _with_bracket(rule, brackets, chosen, side, price, size, ell, fee_rate)
        if rule is LiquidationRule.LINEAR_ENTRY:
            return Liquidations(found, chosen)
        following = np.where(np.isnan(found), at_entry, brackets.index_at(size * np.nan_to_num(found)))
        if (following == chosen).all():
            return Liquidations(found, chosen)
        widest = np.maximum(widest, following)
        unstable, chosen = following != chosen, following
    chosen = np.where(unstable, widest, chosen)
    return Liquidations(_with_bracket(rule, brackets, chosen, side, price, size, ell, fee_rate), chosen)


def _with_bracket(  # noqa: PLR0913, PLR0917 one line of the loop above
    rule: LiquidationRule,
    brackets: Brackets,
    chosen: npt.NDArray[np.intp],
    side: Floats,
    entry: Floats,
    quantity: Floats,
    leverage: Floats,
    fee_rate: float,
) -> Floats:
    ratio = liquidation_ratio(
        rule=rule,
        position_side=side,
        leverage=leverage,
        maintenance_rate=brackets.maintenance_rate[chosen],
        fee_rate=fee_rate,
        deduction=brackets.deduction[chosen] / (quantity * entry),
    )
    return entry * ratio


def in_contracts(window: Window, contract_usd: float) -> Window:
    """Count an inverse contract's volumes and open interest in contracts of ``contract_usd`` [USD] each.

    Open contracts are what is conserved: their worth in base units changes with every price. A bar's volume is taken at
    its mean price; a sample at its reported value, else at its mark price, else at the newest close of the window.
    """
    bars, samples = window.bars.copy(), window.open_interest.copy()
    mean = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    np.divide(bars["quote_volume"], bars["volume"], out=mean, where=(bars["volume"] > 0) & (bars["quote_volume"] > 0))
    for name in ("volume", "quote_volume", "taker_buy_volume"):
        bars[name] *= mean / contract_usd
    at = np.searchsorted(bars["open_time"] + window.bar_ms, samples["time"], side="right") - 1
    close = np.where(at >= 0, bars["close"][np.maximum(at, 0)], np.nan) if len(bars) else np.full(len(samples), np.nan)
    price = np.where(np.isfinite(samples["mark_price"]), samples["mark_price"], close)
    value = samples["open_interest_value"]
    worth = np.where(np.isfinite(value), value, samples["open_interest"] * price)
    samples["open_interest"] = worth / contract_usd
    return replace(window, bars=bars, open_interest=samples)
