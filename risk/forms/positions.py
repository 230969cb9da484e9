"""Calculators about one position."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from risk import formulas, queries
from risk.forms.base import CountField, NumberField, PercentField, ToolForm
from risk.formulas import Bracket, Costs
from risk.pages.liquidations import explain_liquidation
from risk.pages.positions import Position
from risk.pages.sizes import explain_size
from risk.pages.targets import explain_break_even, explain_reward
from risk.pages.words import plain

if TYPE_CHECKING:
    from risk.pages.explaining import Explanation

_SIDES: Final = (("long", "Long"), ("short", "Short"))
_SIGN: Final[dict[str, formulas.Side]] = {"long": 1, "short": -1}
_CONTRACTS: Final = (("linear", "Linear, paid in the quote"), ("inverse", "Inverse, paid in the coin"))
# Where no instrument tells: a large contract's smallest bracket at most venues.
_USUAL_RATE: Final = Decimal("0.005")


def _side() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Side",
        choices=_SIDES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose long or short.", "invalid_choice": "Choose long or short."},
    )


def _fee(label: str) -> PercentField:
    return PercentField(label, least="-1", most="10", required=False, help_text="A rebate is negative.")


class PositionForm(ToolForm):
    """A position with its costs; an instrument fills in what is left empty."""

    side = _side()
    entry = NumberField("Entry price")
    instrument = forms.ChoiceField(
        label="Instrument",
        required=False,
        help_text="Fills in steps, brackets and standard fees, each with its date.",
        error_messages={"invalid_choice": "Choose an instrument of the list, or none."},
    )
    contract = forms.ChoiceField(
        label="Contract",
        choices=_CONTRACTS,
        required=False,
        error_messages={"invalid_choice": "Choose linear or inverse."},
    )
    entry_fee = _fee("Fee at entry, %")
    exit_fee = _fee("Fee at exit, %")
    zone = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    more: ClassVar[tuple[str, ...]] = ("contract", "entry_fee", "exit_fee")
    example: ClassVar = {"side": "long", "entry": "60000", "contract": "linear"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        self.fields["instrument"].choices = [("", "None: own numbers"), *queries.choices()]  # type: ignore[attr-defined]  # a choice field

    def list_first(self, venue: str) -> None:
        """List the instruments of a venue before the others."""
        field: Any = self.fields["instrument"]
        none, *rest = field.choices
        field.choices = [none, *sorted(rest, key=lambda one: not str(one[0]).startswith(f"{venue}:"))]

    def clean_instrument(self) -> queries.Preset | None:
        """Look up the terms of the instrument."""
        key = self.cleaned_data["instrument"]
        found = queries.preset(key) if key else None
        if key and found is None:
            raise ValidationError("Choose an instrument of the list, or none.")
        return found

    def position(self, given: dict[str, Any], *, funding: Decimal = Decimal(0)) -> Position:
        """Put together what every question starts from."""
        preset: queries.Preset | None = given["instrument"]
        fees = preset.fees if preset else None
        costs = Costs(
            entry_fee=_first(given["entry_fee"], fees.maker if fees else None),
            exit_fee=_first(given["exit_fee"], fees.taker if fees else None),
            slippage=_first(given.get("slippage")),
            funding=funding,
        )
        is_inverse = preset.is_inverse if preset else given["contract"] == "inverse"
        return Position(
            side=_SIGN[given["side"]],
            entry=given["entry"],
            is_inverse=is_inverse,
            costs=costs,
            brackets=self.brackets(given),
            contract_usd=preset.contract_usd
            if is_inverse and preset
            else _first(given.get("contract_usd"), Decimal(1)),
            preset=preset,
        )

    def brackets(self, given: dict[str, Any]) -> tuple[Bracket, ...]:
        """Return the maintenance terms: a rate that was given, else the venue's brackets, else the usual rate."""
        preset: queries.Preset | None = given["instrument"]
        if given.get("maintenance") is None and preset and preset.brackets:
            return preset.brackets
        return (Bracket(_first(given.get("maintenance"), _USUAL_RATE)),)

    def clean(self) -> dict[str, Any]:
        """Say beside the field where a price lies on the wrong side of the entry."""
        given = self.cleaned_data
        for name, sign, word in (("stop", -1, "stop"), ("target", 1, "target"), ("target_2", 1, "target")):
            price, entry, side = given.get(name), given.get("entry"), given.get("side")
            if price is None or entry is None or not side:
                continue
            direction = sign * _SIGN[side]
            if direction * (price - entry) <= 0:
                place = "above" if direction > 0 else "below"
                self.add_error(name, f"The {word} of a {side} lies {place} its entry. Change one of them.")
        return super().clean()

    def plan_terms(self) -> dict[str, str]:
        """Return direction and prices for a plan."""
        given = self.cleaned_data
        terms = {"direction": given["side"], "entry": plain(given["entry"])}
        names = {"stop": "invalidation", "target": "target", "account": "equity", "leverage": "leverage"}
        terms |= {plan: plain(given[own]) for own, plan in names.items() if given.get(own)}
        if given.get("risk"):
            terms["risk_pct"] = plain(given["risk"] * 100)
        return terms


def _first(*values: Decimal | None) -> Decimal:
    return next((value for value in values if value is not None), Decimal(0))


class SizeForm(PositionForm):
    """Position size by stop."""

    slug = "size"
    title = "Position size"
    question = "How large may a position be, so that the stop costs no more than planned, fees and slippage included?"
    stop = NumberField("Stop price")
    account = NumberField("Account", help_text="In the currency that the contract is paid in.")
    risk = PercentField("Risk, % of the account", least="0.001", most="100")
    slippage = PercentField("Slippage at the stop, %", least="0", most="20", required=False)
    leverage = NumberField(
        "Leverage", least="1", most="500", required=False, help_text="Sets the margin, not the risk."
    )
    step = NumberField("Size step", required=False, help_text="The smallest amount that the venue takes.")
    contract_usd = NumberField("Contract, USD", required=False, help_text="Worth of one inverse contract.")
    maintenance = PercentField("Maintenance rate, %", least="0.01", most="50", required=False)
    field_order = ("instrument", "side", "entry", "stop", "account", "risk", "leverage", "slippage")
    more: ClassVar[tuple[str, ...]] = (*PositionForm.more, "step", "contract_usd", "maintenance")
    example: ClassVar = {
        **PositionForm.example,
        "stop": "59100",
        "account": "10000",
        "risk": "1",
        "entry_fee": "0.02",
        "exit_fee": "0.055",
        "slippage": "0.02",
        "step": "0.001",
        "leverage": "10",
    }

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the size."""
        preset = given["instrument"]
        return explain_size(
            position=self.position(given),
            stop=given["stop"],
            account=given["account"],
            risk_share=given["risk"],
            step=_first(given["step"], preset.step if preset else None, Decimal("0.00000001")),
            leverage=given["leverage"],
        )


class LiquidationForm(PositionForm):
    """Liquidation price."""

    slug = "liquidation"
    title = "Liquidation price"
    question = "At which price would an isolated position be closed by force, by the venue's own rule and bracket?"
    leverage = NumberField("Leverage", least="1", most="500")
    quantity = NumberField(
        "Size", required=False, help_text="In base, or inverse contracts. The bracket depends on it."
    )
    stop = NumberField("Stop price", required=False)
    contract_usd = NumberField("Contract, USD", required=False, help_text="Worth of one inverse contract.")
    maintenance = PercentField("Maintenance rate, %", least="0.01", most="50", required=False)
    field_order = ("instrument", "side", "entry", "leverage", "quantity", "stop")
    more: ClassVar[tuple[str, ...]] = ("contract", "contract_usd", "maintenance")
    example: ClassVar = {**PositionForm.example, "leverage": "20", "quantity": "0.5", "maintenance": "0.4"}

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the liquidation price."""
        return explain_liquidation(
            position=self.position(given),
            leverage=given["leverage"],
            quantity=_first(given["quantity"], Decimal(1)),
            stop=given["stop"],
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        for name in ("entry_fee", "exit_fee"):  # no fee enters this price
            self.fields[name].widget = forms.HiddenInput()


class BreakEvenForm(PositionForm):
    """Break-even with fees and funding."""

    slug = "break-even"
    title = "Break-even"
    question = "Which price pays for fees both ways and for the funding of the time that the position is held?"
    funding = PercentField(
        "Funding rate, %", least="-5", most="5", required=False, help_text="Per interval. Longs pay when it is above 0."
    )
    hours = NumberField("Held, hours", least="0", most="8760", required=False)
    interval = CountField("Funding interval, hours", least="1", most="24", required=False)
    field_order = ("instrument", "side", "entry", "funding", "hours", "interval", "entry_fee", "exit_fee")
    more: ClassVar[tuple[str, ...]] = ("contract",)
    example: ClassVar = {
        **PositionForm.example,
        "entry_fee": "0.02",
        "exit_fee": "0.055",
        "funding": "0.01",
        "hours": "24",
        "interval": "8",
    }

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the break-even price."""
        rate, interval = _first(given["funding"]), given["interval"] or 8
        settlements = int(_first(given["hours"]) // interval)
        paid = formulas.funding_per_unit(
            side=_SIGN[given["side"]], price=given["entry"], rate=rate, settlements=settlements
        )
        return explain_break_even(position=self.position(given, funding=paid), rate=rate, settlements=settlements)


class RewardForm(PositionForm):
    """Reward over risk and the win rate that it needs."""

    slug = "reward"
    title = "Reward and risk"
    question = (
        "What do targets pay for each unit of risk after costs, and how often must they be reached to break even?"
    )
    stop = NumberField("Stop price")
    target = NumberField("Target price")
    target_2 = NumberField("Second target", required=False)
    target_3 = NumberField("Third target", required=False)
    share = PercentField("Closed at the first, %", least="1", most="100", required=False)
    share_2 = PercentField("Closed at the second, %", least="1", most="100", required=False)
    slippage = PercentField("Slippage at the stop, %", least="0", most="20", required=False)
    field_order = (
        "instrument", "side", "entry", "stop", "target", "target_2", "target_3", "share", "share_2",
        "entry_fee", "exit_fee", "slippage",
    )  # fmt: skip
    more: ClassVar[tuple[str, ...]] = ("contract",)
    example: ClassVar = {
        **PositionForm.example,
        "stop": "59100",
        "target": "61800",
        "entry_fee": "0.02",
        "exit_fee": "0.055",
        "slippage": "0.02",
    }

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with reward over risk."""
        targets = [given[name] for name in ("target", "target_2", "target_3") if given[name] is not None]
        return explain_reward(
            position=self.position(given), stop=given["stop"], targets=targets, shares=_shares(given, len(targets))
        )


def _shares(given: dict[str, Any], count: int) -> list[Decimal]:
    """Return the parts closed at each target; those not given divide the rest alike."""
    asked = [given["share"], given["share_2"]][: count - 1]
    shares, rest = [], Decimal(1)
    for i, share in enumerate(asked):
        part = rest / (count - i) if share is None else share
        shares.append(part)
        rest -= part
    return [*shares, rest]
