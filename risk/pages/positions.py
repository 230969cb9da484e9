"""What every answer about one position starts from, and how its prices are shown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from risk import formulas
from risk.contracts import FEES_AS_OF
from risk.pages.explaining import Figure
from risk.pages.words import DASH, digits_of, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from risk.formulas import Bracket, Costs, Side
    from risk.queries import Preset

# How far beyond the stop a liquidation price has to lie to be called beyond it [fraction of price].
_BUFFER: Final = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Position:
    """A side, an entry and its costs. Linear sizes are in base and pay in quote, inverse ones in contracts and coin."""

    side: Side
    entry: Decimal
    is_inverse: bool
    costs: Costs
    brackets: tuple[Bracket, ...]
    contract_usd: Decimal
    preset: Preset | None

    @property
    def base(self) -> str:
        """What a size is counted in."""
        if self.is_inverse:
            return "contracts"
        return self.preset.base if self.preset else "base"

    @property
    def money(self) -> str:
        """What a result is paid in."""
        if self.preset is None:
            return "coin" if self.is_inverse else "quote"
        return self.preset.base if self.is_inverse else self.preset.quote

    @property
    def digits(self) -> int | None:
        """Decimals of a price here; None without a tick."""
        return digits_of(self.preset.tick) if self.preset else None

    @property
    def sign(self) -> str:
        """Write s with its value, as formulas use it."""
        return f"s = {'+' if self.side > 0 else '−'}1"

    def snap(self, price: Decimal, *, is_up: bool) -> Decimal:
        """Move a price to the instrument's tick; without one it stays as it is."""
        if self.preset is None:
            return price
        return formulas.snap(price=price, tick=self.preset.tick, to="up" if is_up else "down")

    def notional(self, quantity: Decimal) -> Decimal:
        """Return the value at entry: quote, of inverse contracts USD."""
        return quantity * (self.contract_usd if self.is_inverse else self.entry)

    def margin(self, quantity: Decimal, leverage: Decimal) -> Decimal:
        """Return the margin in what the contract is paid in."""
        held = self.notional(quantity) / (self.entry if self.is_inverse else 1)
        return held / leverage

    def liquidation(self, leverage: Decimal, quantity: Decimal) -> Decimal | None:
        """Return the isolated liquidation price, to the tick toward the entry; ValueError without margin."""
        terms = {"side": self.side, "entry": self.entry, "leverage": leverage, "brackets": self.brackets}
        if self.is_inverse:
            price = formulas.liquidation_price_inverse(notional=self.notional(quantity), **terms)  # type: ignore[arg-type]  # one set of terms for both
        else:
            price = formulas.liquidation_price(quantity=quantity, **terms)  # type: ignore[arg-type]  # one set of terms for both
        return None if price is None else self.snap(price, is_up=self.side > 0)


def price_figure(name: str, label: str, price: Decimal | None, position: Position) -> Figure:
    """Show a price with its distance from the entry; a dash where there is none."""
    if price is None:
        return Figure(name, label, None, DASH, "no price above 0 does it")
    away = number((price / position.entry - 1) * 100, 2)
    return Figure(name, label, price, number(price, position.digits), f"{away} % from the entry")


def leverage_figure(position: Position, stop: Decimal, rate: Decimal) -> Figure:
    """Show the largest leverage whose liquidation price lies beyond the stop."""
    most = formulas.max_leverage(
        side=position.side, entry=position.entry, stop=stop, maintenance_rate=rate, buffer=_BUFFER
    )
    label = "Leverage that keeps liquidation beyond the stop"
    value = None if most is None else Decimal(most)
    return Figure("most_leverage", label, value, "any" if most is None else f"up to {most}x", "by 0.5 % of price")


def find_early(position: Position, liquidation: Decimal | None, stop: Decimal) -> list[str]:
    """Warn where the liquidation price comes before the stop."""
    if liquidation is None or position.side * (liquidation - stop) < 0:
        return []
    return ["The position would be liquidated before the stop. Lower the leverage."]


def describe_fees(position: Position) -> list[str]:
    """Say where fees that were left empty come from, with the day."""
    preset = position.preset
    if not (preset and preset.fees):
        return []
    rates = f"maker {percent(preset.fees.maker, 3)}, taker {percent(preset.fees.taker, 3)} of the notional"
    return [f"Fees left empty are {preset.venue}'s standard ones as known on {FEES_AS_OF:%Y-%m-%d}: {rates}."]


def describe_brackets(position: Position) -> list[str]:
    """Say where the maintenance rates come from, with the day; for answers that use them."""
    preset = position.preset
    if preset and preset.as_of and position.brackets == preset.brackets:
        return [f"Leverage brackets of {preset.key} as published on {preset.as_of:%Y-%m-%d}."]
    if position.brackets:
        return [f"One maintenance rate for every size: {percent(position.brackets[0].maintenance_rate, 3)}."]
    return []


def held_bracket(position: Position, price: Decimal | None, quantity: Decimal) -> Bracket:
    """Return the bracket that holds at a price; without one, at the entry."""
    at = position.entry if price is None else price
    value = position.notional(quantity) / at if position.is_inverse else quantity * at
    brackets: Sequence[Bracket] = position.brackets
    return next((one for one in brackets if one.cap is None or value <= one.cap), brackets[-1])
