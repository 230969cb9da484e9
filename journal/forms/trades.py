"""Forms of files, trades and reviews."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import available_timezones

from django import forms

from journal.imports import FIELDS, LAYOUTS, MOST_BYTES, NEEDED
from journal.operations import Choices, Said
from market.queries import list_followed, venue_name

_VENUES: Final = {layout.venue for layout in LAYOUTS}
_ORDERS: Final = [("y", "year, month, day"), ("d", "day, month, year"), ("m", "month, day, year")]
_MARKS: Final = {"": None, "point": False, "comma": True}


class FileForm(forms.Form):
    """A venue's file."""

    file = forms.FileField(
        label="CSV file, or a zip archive with one",
        help_text=f"Up to {MOST_BYTES // 1024 // 1024} MB. It is shown to you before anything is taken in.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty: export it again."},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.zip,text/csv,application/zip"}),
    )


class JournalForm(forms.Form):
    """An export of a journal."""

    file = forms.FileField(
        label="The file journal.json of an export",
        help_text="It is shown to you before anything is taken in.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty: export it again."},
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )


class DescribeForm(forms.Form):
    """What a file does not say of itself."""

    zone = forms.CharField(
        label="Time zone of the export", required=False, max_length=60,
        help_text="As in Europe/Berlin or UTC. Venues write it into the file's name or its first lines.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )  # fmt: skip
    date_order = forms.ChoiceField(
        label="Dates are written", required=False,
        choices=[("", "as the file shows"), *_ORDERS],
    )  # fmt: skip
    decimal_mark = forms.ChoiceField(
        label="Decimal mark", required=False,
        choices=[("", "as the file shows"), ("point", "point: 1,234.5"), ("comma", "comma: 1.234,5")],
    )  # fmt: skip

    def __init__(self, *args: Any, columns: tuple[str, ...] = (), **kwargs: Any) -> None:  # noqa: ANN401  # Django's own
        super().__init__(*args, **kwargs)
        self.columns = columns
        if columns:
            venues = _VENUES | {one.venue for one in list_followed() if not one.is_pair}
            self.fields["venue"] = forms.ChoiceField(
                label="Venue", choices=[(name, venue_name(name)) for name in sorted(venues)]
            )
        for name in FIELDS if columns else ():
            self.fields[_key(name)] = forms.ChoiceField(
                label=f"Column of the {name}",
                required=name in NEEDED,
                choices=[("", "choose"), *((column, column) for column in columns if column)],
                error_messages={"required": f"Say which column holds the {name}."},
            )

    def clean_zone(self) -> str:
        """Refuse what is no time zone."""
        zone: str = self.cleaned_data["zone"].strip()
        if zone and zone not in available_timezones():
            raise forms.ValidationError("Write a time zone like Europe/Berlin, America/New_York or UTC.")
        return zone

    def clean(self) -> dict[str, Any]:
        """Refuse a column that is used twice."""
        used = [self.cleaned_data.get(_key(name)) for name in FIELDS if self.cleaned_data.get(_key(name))]
        if len(set(used)) < len(used):
            raise forms.ValidationError("Each column can stand for one thing only.")
        return self.cleaned_data

    def choices(self) -> Choices:
        """Return what was said."""
        said = self.cleaned_data
        return Choices(
            zone=said["zone"],
            date_order=said["date_order"],
            decimal_comma=_MARKS[said["decimal_mark"]],
            venue=said.get("venue", ""),
            columns={name: said.get(_key(name), "") for name in FIELDS} if self.columns else None,
        )


def _key(name: str) -> str:
    return f"column_{name.replace(' ', '_')}"


def initial_of_file(file: Any) -> dict[str, Any]:  # noqa: ANN401  # a row or its twin in a test
    """Return what a description starts with: what was said of the last file of this kind."""
    mark = next(name for name, value in _MARKS.items() if value is file.decimal_comma)
    said = {"zone": file.zone, "date_order": file.date_order, "decimal_mark": mark, "venue": file.venue}
    return said | {_key(name): column for name, column in file.columns.items()}


class ChoosePlanForm(forms.Form):
    """Which plan a trade belongs to."""

    plan = forms.IntegerField(
        label="Number of the plan", required=False, min_value=1, max_value=2**31 - 1,
        help_text="Leave it empty if there was no plan.",
        error_messages={"invalid": "Write a plan's number, like 12.", "min_value": "Write a plan's number, like 12."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip


class ReviewForm(forms.Form):
    """What a trader takes from a plan."""

    what_happened = forms.CharField(
        label="What happened", max_length=4000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what happened, in a sentence."},
    )  # fmt: skip
    early_interest = forms.CharField(
        label="Interest before evidence", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What drew you in before the confirmation, if anything did.",
    )  # fmt: skip
    lesson = forms.CharField(
        label="One lesson", max_length=300, error_messages={"required": "Take one lesson, or write that there is none."}
    )
    mistakes = forms.CharField(
        label="Mistakes", required=False, max_length=280, help_text="Your own words, with commas between them."
    )

    def said(self) -> Said:
        """Return what was said."""
        words = self.cleaned_data
        return Said(
            what_happened=words["what_happened"],
            lesson=words["lesson"],
            early_interest=words["early_interest"],
            mistakes=words["mistakes"].split(","),
        )


class RemarkForm(forms.Form):
    """A later remark."""

    text = forms.CharField(
        label="Add a remark", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write the remark."},
    )  # fmt: skip
