"""The form of a week."""

from __future__ import annotations

from django import forms

from journal.operations import MOST_NOTE


class WeekForm(forms.Form):
    """What is taken from a week."""

    note = forms.CharField(
        label="One note on the week", max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Encrypted with a key of your own; erasing the account destroys the key.",
        error_messages={"required": "Write the note, or leave the page."},
    )  # fmt: skip
