"""What all calculators have in common: numbers in plain digits, percentages, and an answer or a sentence."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django import forms
from django.core.exceptions import ValidationError

from risk.formulas import read_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from risk.pages.explaining import Explanation


class NumberField(forms.Field):
    """A decimal number as people write it; ``least`` and ``most`` are inclusive."""

    widget = forms.TextInput

    def __init__(self, label: str, *, least: str = "1e-12", most: str = "1e15", **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        kwargs.setdefault("error_messages", {"required": "Give a number."})
        super().__init__(label=label, **kwargs)
        self.least, self.most = Decimal(least), Decimal(most)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: object) -> Decimal | None:
        """Read the number; None for nothing."""
        text = str(value or "").strip()
        if not text:
            return None
        if len(text) > 40:  # noqa: PLR2004  # no price has so many digits
            raise ValidationError("Give at most 40 digits.")
        try:
            number = read_number(text)
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from refusal
        if not self.least <= number <= self.most:
            raise ValidationError(self._range(number))
        return number

    def _range(self, number: Decimal) -> str:
        if self.least == Decimal("1e-12"):
            return "Give a number above 0." if number < self.least else "Give a smaller number."
        return f"Give a number from {self.least:f} to {self.most:f}."


class PercentField(NumberField):
    """A percentage, cleaned to a fraction."""

    def to_python(self, value: object) -> Decimal | None:
        """Read the percentage as a fraction."""
        number = super().to_python(value)
        return None if number is None else number / 100


class CountField(NumberField):
    """A whole number."""

    def to_python(self, value: object) -> Any:  # noqa: ANN401  # an int where its parent gives a Decimal
        """Read the whole number."""
        number = super().to_python(value)
        if number is not None and number != number.to_integral_value():
            raise ValidationError("Give a whole number.")
        return None if number is None else int(number)


class ToolForm(forms.Form):
    """A calculator. Its state is its address; what is not given has the first value of its field."""

    slug: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    # Inputs with which the page opens.
    example: ClassVar[dict[str, str]] = {}
    # Names of fields that stay folded away.
    more: ClassVar[tuple[str, ...]] = ()
    answer: Explanation | None = None

    @classmethod
    def asked(cls, given: Mapping[str, str], own: Mapping[str, str] | None = None) -> Self:
        """Return the form for an address: of nothing the example, of a part a form that waits for the rest.

        own: what the reader has set, by names of fields. A whole address means the same for everyone.
        """
        start = {name: value for name, value in (own or {}).items() if name in cls.base_fields}
        if not given:
            return cls({**cls.example, **start})
        needed = [name for name, field in cls.base_fields.items() if field.required]
        return cls(given) if all(name in given for name in needed) else cls(initial={**start, **given})

    def clean(self) -> dict[str, Any]:
        """Answer where every field is right; a refusal by the formulas stands above the form."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.answer = self.explain(cleaned)
            except ValueError as refusal:
                self.add_error(None, str(refusal))
        return cleaned

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Return the answer; ValueError with a sentence that says what to change."""
        raise NotImplementedError

    def plan_terms(self) -> dict[str, str]:
        """Return what a plan can start from, as its form's fields; empty where a plan has nothing to take."""
        return {}

    def main_fields(self) -> list[forms.BoundField]:
        """Fields that are always shown."""
        return [field for field in self if field.name not in self.more and not field.is_hidden]

    @property
    def has_more_errors(self) -> bool:
        """Whether something is wrong with a field that is folded away."""
        return any(name in self.errors for name in self.more)

    def more_fields(self) -> list[forms.BoundField]:
        """Fields that stay folded away."""
        return [self[name] for name in self.more]
