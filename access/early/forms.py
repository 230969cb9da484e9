"""The request form, and the forms of the operator's page."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError

from access.early import proof, touches
from access.early.consents import TEXTS
from access.models import Consent, Wave
from access.reading import in_zone

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

TRAP: Final = "website"
_ADDRESS: Final = "Write one e-mail address, such as name@example.com."
_AGREE: Final = "Without this nothing can be sent to you."


class RequestForm(forms.Form):
    """An address, what it is for, and what is agreed to."""

    address = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _ADDRESS,
            "invalid": _ADDRESS,
            "max_length": "Write an address of at most 254 signs.",
        },
    )
    note = forms.CharField(
        label="What would you use it for? Optional",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": "Shorten the text to 500 characters."},
    )
    agree = forms.BooleanField(label=TEXTS[Consent.Purpose.ACCESS], error_messages={"required": _AGREE})
    letter = forms.BooleanField(label=TEXTS[Consent.Purpose.LETTER], required=False)
    # No person sees it; programs fill in what they find.
    website = forms.CharField(
        required=False,
        max_length=200,
        label="Leave this empty",
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    opened = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    touch = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)

    def clean_address(self) -> str:
        """Bring the address to one form; what only looks like another address is refused."""
        address = unicodedata.normalize("NFC", str(self.cleaned_data["address"]))
        if not address.isascii() or not address.isprintable():
            raise ValidationError("Write the address in plain letters: others can look like them and are not.")
        return address

    @property
    def data_to_keep(self) -> dict[str, Any]:
        """What is kept beside the address."""
        return {
            "note": self.cleaned_data["note"],
            "letter": self.cleaned_data["letter"],
            "touch": touches.unpack(self.cleaned_data["touch"]),
        }


def blank_request(*, touch: Mapping[str, str], now: dt.datetime) -> RequestForm:
    """Return an empty form that knows when it was shown and where its reader came from."""
    return RequestForm(initial={"opened": proof.stamp(now=now), "touch": touches.pack(touch)}, auto_id="request_%s")


class WaveForm(forms.Form):
    """Step one of two: who would be invited."""

    name = forms.CharField(label="Name", max_length=60)
    size = forms.IntegerField(
        label="How many at most",
        min_value=1,
        max_value=10_000,
        error_messages={"min_value": "Invite at least one.", "max_value": "Invite at most 10,000 at once."},
    )
    pick = forms.ChoiceField(label="In which order", choices=Wave.Pick.choices)
    source = forms.CharField(label="Only from this source", required=False, max_length=60)
    since = forms.DateField(label="Confirmed since", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Confirmed before", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    due_at = forms.DateTimeField(
        label=in_zone("Not before"),
        required=False,
        help_text="Empty: as soon as it is approved.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Write the time as 2026-01-31 14:30."},
    )

    @property
    def only(self) -> dict[str, str]:
        """The filter as it is stored."""
        found = {name: self.cleaned_data.get(name) for name in ("source", "since", "until")}
        return {name: str(value) for name, value in found.items() if value}


class ReasonForm(forms.Form):
    """Why an operator does something."""

    reason = forms.CharField(label="Reason", max_length=200, error_messages={"required": "Say why: it is kept."})


class ApproveForm(ReasonForm):
    """Step two of two: the number, typed."""

    count = forms.IntegerField(label="Number of invitations, typed again")


class SheetForm(ReasonForm):
    """A CSV file of addresses to ask for their confirmation."""

    sheet = forms.FileField(label="CSV file", error_messages={"required": "Choose a file."})
