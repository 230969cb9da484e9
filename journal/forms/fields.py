"""Fields of the journal's forms: numbers in plain digits, and what each says when it is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from risk.formulas import NO_COMMA, read_number

_NUMBER: Final = "Write a number with a point, like 60123.5."
_PRICE: Final = {
    "required": "Give a price.",
    "invalid": _NUMBER,
    "min_value": "Give a price above 0.",
    "max_decimal_places": "Give at most 8 decimals.",
    "max_digits": "Give at most 20 digits, 8 of them decimals.",
    "max_whole_digits": "Give at most 12 digits before the point.",
}
_SMALLEST: Final = Decimal("1e-8")
_TYPED: Final = {"inputmode": "decimal", "autocomplete": "off"}


class NumberField(forms.DecimalField):
    """A number in plain digits, with a point."""

    def to_python(self, value: Any) -> Any:  # noqa: ANN401  # Django's own argument and answer
        """Read the number; refuse every other way to write one."""
        text = str(value or "").strip()
        try:
            if text:
                read_number(text)
        except ValueError as refusal:
            sentence = NO_COMMA if "," in text else self.error_messages["invalid"]
            raise ValidationError(sentence, code="invalid") from refusal
        return super().to_python(text)


def price_field(label: str, help_text: str = "") -> forms.DecimalField:
    """A price; whether it is needed depends on the direction."""
    return NumberField(
        label=label, help_text=help_text, required=False, max_digits=20, decimal_places=8, min_value=_SMALLEST,
        error_messages=_PRICE, widget=forms.TextInput(attrs=dict(_TYPED)),
    )  # fmt: skip


def amount_field(label: str, help_text: str, *, least: str, most: str, example: str = "0.5") -> forms.DecimalField:
    """A number with two decimals between bounds; empty where it is not given."""
    bounds = f"Give a number from {least} to {most}."
    sentences = dict.fromkeys(("min_value", "max_value", "max_digits", "max_whole_digits"), bounds)
    sentences |= {"invalid": f"Write a number with a point, like {example}."}
    return NumberField(
        label=label, help_text=help_text, required=False, max_digits=len(most.partition(".")[0]) + 2, decimal_places=2,
        min_value=Decimal(least), max_value=Decimal(most), widget=forms.TextInput(attrs=dict(_TYPED)),
        error_messages=sentences | {"max_decimal_places": "Give at most two decimals."},
    )  # fmt: skip


def count_field(label: str, help_text: str, *, least: int, most: int) -> forms.IntegerField:
    """A whole number between bounds; empty where it is not given."""
    bounds = f"Give a whole number from {least} to {most}."
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=least, max_value=most,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), bounds),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip


def choice_field(label: str, choices: list[tuple[str, str]], help_text: str = "") -> forms.ChoiceField:
    """One of a list; what is not sent is the first."""
    return forms.ChoiceField(
        label=label, choices=choices, help_text=help_text, required=False,
        error_messages={"invalid_choice": "Choose one of the list."},
    )  # fmt: skip


def text_field(label: str, help_text: str, *, most: int, rows: int, is_needed: bool) -> forms.CharField:
    """Free text."""
    return forms.CharField(
        label=label, help_text=help_text, max_length=most, required=is_needed,
        error_messages={
            "required": "Write at least one sentence.",
            "max_length": f"Shorten the text to {most:,} characters.",
        },
        widget=forms.Textarea(attrs={"rows": rows}),
    )  # fmt: skip
