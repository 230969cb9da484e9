"""The form for what is done with an armed plan."""

from __future__ import annotations

from typing import Any

from django import forms

from journal.forms.fields import amount_field, price_field, text_field
from journal.models import JournalEntry, Plan
from journal.operations import Amendment
from journal.verdict import Rule

_KINDS = JournalEntry.Kind


class AmendForm(forms.Form):
    """What was done, a price or a share, and words."""

    kind = forms.ChoiceField(
        label="What was done",
        choices=[
            (kind.value, kind.label)
            for kind in (_KINDS.NOTED, _KINDS.STOP, _KINDS.TARGET, _KINDS.PARTIAL, _KINDS.CANCELLED, _KINDS.CONFIRMED)
        ],
        error_messages={"required": "Choose one of the list.", "invalid_choice": "Choose one of the list."},
    )
    price = price_field("Price", "Where the stop or the target lies now.")
    share_pct = amount_field("Share closed, %", "Of the position.", least="0.01", most="100", example="50")
    note = text_field("Note", "A cancellation needs its reason.", most=4000, rows=2, is_needed=False)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **{"auto_id": "amend_%s", **kwargs})
        if plan.confirmation.get("rule") != Rule.MANUAL.value:
            field = self.fields["kind"]
            field.choices = [choice for choice in field.choices if choice[0] != _KINDS.CONFIRMED]  # type: ignore[attr-defined]  # a choice field

    def amendment(self) -> Amendment:
        """Return what was done."""
        return Amendment(**{name: self.cleaned_data[name] for name in Amendment.__slots__})
