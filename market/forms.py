"""What the data pages are asked for: every filter has a default, and what makes no sense is refused."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ObjectDoesNotExist, ValidationError

from market.models import Quarantine
from market.pages.data import DAYS
from market.pages.words import SERIES, series
from market.queries import get_instrument
from market.queries.quarantine import Choice

_LARGEST_ID: Final = 2**63 - 1
_USUAL_DAYS: Final = 7
STATES: Final = [("held", "Held"), ("released", "Released"), ("discarded", "Discarded"), ("all", "All")]


class DataFilter(forms.Form):
    """Which instruments, and how far back."""

    venue = forms.CharField(required=False, max_length=32)
    days = forms.ChoiceField(required=False, choices=[(str(days), days) for days in DAYS])
    shown = forms.ChoiceField(required=False, choices=[("", "Followed"), ("all", "All")])
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)

    def clean_days(self) -> int:
        """Read the number; a week where nothing is said."""
        return int(self.cleaned_data["days"] or _USUAL_DAYS)


class QuarantineFilter(forms.Form):
    """Which rows."""

    instrument = forms.CharField(required=False, max_length=97, label="Instrument", help_text="venue:symbol")
    series = forms.CharField(
        required=False,
        max_length=32,
        label="Series",
        widget=forms.Select(choices=[("", "Any"), *((name, series(name)) for name in SERIES)]),
    )
    reason = forms.CharField(required=False, max_length=200, label="Reason")
    state = forms.ChoiceField(required=False, choices=STATES, label="State")
    before = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_ID, widget=forms.HiddenInput)
    row = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_ID, widget=forms.HiddenInput)

    def clean_instrument(self) -> int | None:
        """Find the instrument; its id is the cleaned value."""
        key = str(self.cleaned_data["instrument"])
        try:
            return get_instrument(key=key).pk if key else None
        except ObjectDoesNotExist as absent:
            raise ValidationError(
                "There is no such instrument. Write venue:symbol, as the list of instruments does."
            ) from absent

    def choice(self, *, through_id: int | None = None) -> Choice:
        """Return what was asked for; held rows unless something else is said."""
        chosen: dict[str, Any] = self.cleaned_data
        state = chosen["state"] or Quarantine.State.HELD.value
        return Choice(
            row_id=chosen["row"],
            instrument_id=chosen["instrument"],
            series=chosen["series"],
            reason=chosen["reason"],
            state="" if state == "all" else state,
            through_id=through_id,
        )


class DecisionForm(forms.Form):
    """What was decided, about rows up to the newest one that was counted."""

    decision = forms.ChoiceField(choices=[("released", "Release"), ("discarded", "Discard")])
    through = forms.IntegerField(min_value=1, max_value=_LARGEST_ID)
