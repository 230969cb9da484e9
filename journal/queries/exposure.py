"""What a plan would cost and pay by the venue's own terms: size, costs, liquidation price, reward over risk."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from journal.models import Plan
from risk import formulas
from risk.formulas import Bracket, Costs
from risk.queries import Preset, preset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from risk.formulas import Reward, Scaled, Side, Size

# What a market order is assumed to lose against the price that sets it off [fraction]; part of the engine's version.
SLIPPAGE: Final = Decimal("0.0002")
_NO_BRACKETS: Final = (Bracket(Decimal("0.005")),)
_BUFFER: Final = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Exposure:
    """What follows from a plan's prices; what can not be told is None.

    loss: of one unit at the stop, costs included [quote; inverse: coin for a contract]. reward: of the first target.
    scaled: of several targets. size: of the account's risk. liquidation: isolated, at the leverage given.
    most_leverage: that keeps liquidation beyond the stop. problems: sentences by field; brackets_of: the venue's day.
    """

    costs: Costs
    is_inverse: bool = False
    has_fees: bool = False
    brackets_of: str = ""
    loss: Decimal | None = None
    reward: Reward | None = None
    scaled: Scaled | None = None
    size: Size | None = None
    notional: Decimal | None = None
    margin: Decimal | None = None
    liquidation: Decimal | None = None
    most_leverage: int | None = None
    problems: dict[str, str] = field(default_factory=dict)


def costs_of(key: str, entry_kind: str) -> Costs:
    """Return a venue's standard fees as a plan of this kind would pay them; none where none are known."""
    return _costs(preset(key), entry_kind)


def expose(*, key: str, terms: Mapping[str, Any]) -> Exposure:
    """Return what follows from terms, complete or not, for the instrument ``key``; never raises for wrong prices."""
    found = preset(key)
    costs = _costs(found, str(terms.get("entry_kind") or Plan.EntryKind.LIMIT))
    known: dict[str, Any] = {"costs": costs, "problems": {}, "has_fees": bool(found and found.fees)}
    known["is_inverse"] = bool(found and found.is_inverse)
    known["brackets_of"] = found.as_of.isoformat() if found and found.as_of else ""
    side = {"long": 1, "short": -1}.get(str(terms.get("direction")))
    entry, stop = terms.get("entry"), terms.get("invalidation")
    if side is None or entry is None or stop is None:
        return Exposure(**known)
    position = _Position(1 if side > 0 else -1, entry, stop, costs, found)
    _try(known, "invalidation", lambda: {"loss": position.loss()})
    if known.get("loss") is None:
        return Exposure(**known)
    _try(known, "targets", lambda: position.rewards(terms.get("targets") or []))
    _try(known, "equity", lambda: position.sized(terms))
    _try(known, "leverage", lambda: position.levered(terms, known.get("size")))
    return Exposure(**known)


def _try(known: dict[str, Any], name: str, ask: Any) -> None:  # noqa: ANN401  # a question without arguments
    try:
        known |= ask()
    except ValueError as refusal:
        known["problems"][name] = str(refusal)


def _costs(found: Preset | None, entry_kind: str) -> Costs:
    if found is None or found.fees is None:
        return Costs(slippage=SLIPPAGE)
    rests = entry_kind in {Plan.EntryKind.LIMIT, Plan.EntryKind.EDGE}
    return Costs(found.fees.maker if rests else found.fees.taker, found.fees.taker, SLIPPAGE)


@dataclass(frozen=True, slots=True)
class _Position:
    side: Side
    entry: Decimal
    stop: Decimal
    costs: Costs
    preset: Preset | None

    def loss(self) -> Decimal:
        if self.preset and self.preset.is_inverse:
            one = formulas.size_by_stop_inverse(
                side=self.side, entry=self.entry, stop=self.stop, budget=Decimal(10) ** 12,
                contract_usd=self.preset.contract_usd, costs=self.costs,
            )  # fmt: skip
            return one.loss_per_unit
        return formulas.loss_per_unit(side=self.side, entry=self.entry, stop=self.stop, costs=self.costs)

    def rewards(self, targets: list[list[str]]) -> dict[str, Any]:
        prices, weights = ([Decimal(row[i]) for row in targets] for i in (0, 1))
        if not prices:
            return {}
        given = {"side": self.side, "entry": self.entry, "stop": self.stop, "costs": self.costs}
        made: dict[str, Any] = {"reward": formulas.reward_to_risk(target=prices[0], **given)}  # type: ignore[arg-type]  # one set of terms for both
        if len(prices) > 1:
            made["scaled"] = formulas.scaled_reward(targets=prices, shares=weights, **given)  # type: ignore[arg-type]  # one set of terms for both
        return made

    def sized(self, terms: Mapping[str, Any]) -> dict[str, Any]:
        equity, risk = terms.get("equity"), terms.get("risk_pct")
        if equity is None or risk is None:
            return {}
        budget = equity * risk / 100
        if self.preset and self.preset.is_inverse:
            size = formulas.size_by_stop_inverse(
                side=self.side, entry=self.entry, stop=self.stop, budget=budget,
                contract_usd=self.preset.contract_usd, costs=self.costs,
            )  # fmt: skip
            return {"size": size, "notional": size.quantity * self.preset.contract_usd}
        step = self.preset.step if self.preset else Decimal("1e-8")
        given = {"side": self.side, "entry": self.entry, "stop": self.stop, "costs": self.costs}
        size = formulas.size_by_stop(budget=budget, step=step, **given)  # type: ignore[arg-type]  # one set of terms for both
        return {"size": size, "notional": size.quantity * self.entry}

    def levered(self, terms: Mapping[str, Any], size: Size | None) -> dict[str, Any]:
        brackets = (self.preset.brackets if self.preset else ()) or _NO_BRACKETS
        made: dict[str, Any] = {
            "most_leverage": formulas.max_leverage(
                side=self.side, entry=self.entry, stop=self.stop,
                maintenance_rate=brackets[0].maintenance_rate, buffer=_BUFFER,
            )
        }  # fmt: skip
        if (leverage := terms.get("leverage")) is None:
            return made
        given = {"side": self.side, "entry": self.entry, "leverage": leverage, "brackets": brackets}
        if self.preset and self.preset.is_inverse:
            notional = (size.quantity if size else Decimal(1)) * self.preset.contract_usd
            made["liquidation"] = formulas.liquidation_price_inverse(notional=notional, **given)
            held = notional / self.entry
        else:
            quantity = size.quantity if size else (self.preset.step if self.preset else Decimal(1))
            made["liquidation"] = formulas.liquidation_price(quantity=quantity, **given)
            held = quantity * self.entry
        if made["liquidation"] is not None and self.preset:
            made["liquidation"] = formulas.snap(
                price=made["liquidation"], tick=self.preset.tick, to="up" if self.side > 0 else "down"
            )
        return made | ({"margin": held / leverage} if size else {})


def liquidates_first(found: Exposure, *, side: int, stop: Decimal) -> bool:
    """Whether the position would be liquidated before its stop."""
    return found.liquidation is not None and side * (found.liquidation - stop) >= 0
