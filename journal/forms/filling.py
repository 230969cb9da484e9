"""The form of a fill that is typed."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ObjectDoesNotExist

from access.reading import in_zone
from journal.forms.fields import NumberField
from journal.forms.starting import plain_price
from journal.operations import TypedFill
from market.queries import get_instrument, list_followed

if TYPE_CHECKING:
    import datetime as dt

    from journal.models import Plan

_SIDES: Final = [("1", "Bought"), ("-1", "Sold")]
_LEAST: Final = Decimal("1e-12")
_TYPED: Final = {"inputmode": "decimal", "autocomplete": "off"}


def _number(label: str, help_text: str, required: str, least: Decimal | None = _LEAST) -> NumberField:
    return NumberField(
        label=label, help_text=help_text, widget=forms.TextInput(attrs=dict(_TYPED)), max_digits=30, decimal_places=12,
        min_value=least,
        error_messages={
            "required": required, "invalid": "Write a number with a point, like 60123.5.",
            "min_value": "Give a number above 0.", "max_decimal_places": "Give at most 12 decimals.",
            "max_digits": "Give at most 30 digits.", "max_whole_digits": "Give at most 18 digits before the point.",
        },
    )  # fmt: skip


class FillForm(forms.Form):
    """One execution, as the venue's history shows it."""

    instrument = forms.CharField(
        label="Contract", max_length=100, help_text="As venue:symbol, like binance:BTCUSDT.",
        widget=forms.TextInput(attrs={"list": "contracts", "autocomplete": "off"}),
        error_messages={"required": "Say which contract it was."},
    )  # fmt: skip
    at = forms.DateTimeField(
        label=in_zone("Time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        error_messages={"required": "Give the time.", "invalid": "Write the time like 2026-05-04 10:00:00."},
    )  # fmt: skip
    side = forms.ChoiceField(label="Side", choices=_SIDES, error_messages={"required": "Say which side it was."})
    price = _number("Price", "", "Give the price.")
    quantity = _number("Quantity, base", "In coins, not in contracts.", "Give the quantity.")
    fee = _number(
        "Fee, quote", "0 if there was none; below 0 for a rebate.", "Give the fee, or 0 if there was none.", None
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own
        super().__init__(*args, **kwargs)
        self.contracts = [
            one.key for one in list_followed() if one.contract_type == one.ContractType.LINEAR and not one.is_pair
        ]

    def clean_instrument(self) -> Any:  # noqa: ANN401  # another room's row
        """Return the contract."""
        try:
            return get_instrument(key=self.cleaned_data["instrument"].strip())
        except ObjectDoesNotExist as absent:
            raise forms.ValidationError(
                "No contract of that name is known here: write it like binance:BTCUSDT."
            ) from absent

    def typed(self) -> TypedFill:
        """Return what was typed."""
        said = self.cleaned_data
        return TypedFill(
            said["instrument"], said["at"], int(said["side"]), said["price"], said["quantity"], said["fee"]
        )


def fill_of_plan(*, plan: Plan | None, quantity: Decimal | None, now: dt.datetime) -> dict[str, Any]:
    """Return what the form starts with: the plan's entry, if it is about a plan; never a fee."""
    start: dict[str, Any] = {"request_key": uuid.uuid4(), "at": now.replace(microsecond=0)}
    if plan is None or plan.is_observed:
        return start
    start |= {"instrument": plan.zone.heatmap.instrument.key, "side": str(plan.side)}
    if plan.entry is not None:
        start["price"] = plain_price(plan.entry)
    return start if quantity is None else start | {"quantity": plain_price(quantity)}
