"""The plan form: what the trader writes, checked field by field."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError

from journal.models import Plan
from journal.operations import RISK_MOST, Terms, find_problems
from risk.formulas import NO_COMMA, read_number

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT: Final = dt.timedelta(days=7)
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


def _price(label: str, help_text: str) -> forms.DecimalField:
    return NumberField(
        label=label,
        help_text=help_text,
        max_digits=20,
        decimal_places=8,
        min_value=_SMALLEST,
        error_messages=_PRICE,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class PlanForm(forms.Form):
    """The terms of a plan; nothing else can be sent with it."""

    direction = forms.ChoiceField(
        label="Direction",
        choices=Plan.Direction.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose long or short.", "invalid_choice": "Choose long or short."},
    )
    entry = _price("Entry", "Where the position would be opened.")
    invalidation = _price("Invalidation", "The price at which the idea is wrong.")
    target = _price("Target", "The price at which the idea has paid.")
    risk_pct = NumberField(
        label="Risk, % of equity",
        help_text="What a stop at the invalidation would cost.",
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=RISK_MOST,
        error_messages={
            "required": "Give the risk in percent.",
            "invalid": "Write a number with a point, like 0.5.",
            "min_value": "Give at least 0.01 percent.",
            "max_value": "Give at most 100 percent.",
            "max_digits": "Give at most 100 percent, with two decimals.",
            "max_decimal_places": "Give at most two decimals.",
            "max_whole_digits": "Give at most 100 percent.",
        },
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    thesis = forms.CharField(
        label="Thesis",
        help_text="Why this zone matters, and what would make it wrong.",
        max_length=4000,
        error_messages={
            "required": "Write at least one sentence.",
            "max_length": "Shorten the text to 4,000 characters.",
        },
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    expires_at = forms.DateTimeField(
        label="Expires, UTC",
        help_text="Within 30 days. A plan that has not been entered by then is over.",
        error_messages={"required": "Choose a time.", "invalid": "Write the time as 2026-01-31 14:30."},
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_expires_at(self) -> dt.datetime:
        """Bring a time with an offset to UTC: the database does not take every offset."""
        moment: dt.datetime = self.cleaned_data["expires_at"]
        try:
            return moment.astimezone(dt.UTC)
        except OverflowError as beyond:
            raise ValidationError(self.fields["expires_at"].error_messages["invalid"], code="invalid") from beyond

    def sent_again(self, label: str) -> None:
        """Say that the same form made a plan of other terms before; the next sending makes another."""
        self.add_error(
            None,
            f"This form was sent before and made {label}, with other terms; {label} stays as it is."
            " What stands here is not saved yet: saving again makes a new draft of it.",
        )
        self.data = {**{name: self.data.get(name) for name in self.fields}, "request_key": str(uuid.uuid4())}

    def clean(self) -> dict[str, Any]:
        """Compare the fields with each other and with the clock."""
        cleaned = super().clean() or self.cleaned_data
        for field, sentence in find_problems(terms=cleaned, now=self.now).items():
            self.add_error(field, sentence)
        return cleaned

    def terms(self) -> Terms:
        """Return the checked terms."""
        return Terms(**{name: self.cleaned_data[name] for name in Terms.__slots__})


_TAKEN_OVER: Final = ("direction", "entry", "invalidation", "target", "risk_pct")


def suggest(*, zone: Any, now: dt.datetime, given: Mapping[str, str] | None = None) -> dict[str, Any]:  # noqa: ANN401  # another room's row
    """Return what a new form starts with: the edge of the zone that price meets first, and a week.

    ``given``: terms that come along in the address, as from a calculator; the form checks them like any other.
    """
    edge = zone.price_high if zone.position_side > 0 else zone.price_low
    tick = zone.heatmap.instrument.tick_size
    entry = (Decimal(repr(edge)) / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick
    return {
        "entry": format(entry.normalize(), "f"),
        "expires_at": (now + _SHORT).replace(minute=0, second=0, microsecond=0),
        "request_key": uuid.uuid4(),
        **{name: given[name] for name in _TAKEN_OVER if given and given.get(name)},
    }


def initial_of(plan: Plan) -> dict[str, Any]:
    """Return what the form of a draft starts with."""
    values = {name: getattr(plan, name) for name in Terms.__slots__}
    return {name: format(v.normalize(), "f") if isinstance(v, Decimal) else v for name, v in values.items()}
