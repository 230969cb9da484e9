"""What members ask for: rules and quiet hours; a mistake says what to change."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ObjectDoesNotExist, ValidationError

from alerts.models import HORIZONS, Rule
from alerts.operations import Wish
from market.queries import get_instrument, list_followed

if TYPE_CHECKING:
    from alerts.models import Preferences

_THRESHOLDS: Final = {Rule.Kind.NEAR: (Decimal("0.05"), Decimal(50)), Rule.Kind.CHANCE: (Decimal(1), Decimal(99))}
_NUMBER: Final = {"invalid": "Write a number with a point, like 1.5.", "max_decimal_places": "Give at most 2 decimals."}


def instrument_choices() -> list[tuple[str, str]]:
    """List what is fetched: of nothing else comes anything new."""
    fetched = [one for one in list_followed() if one.is_fetched]
    pairs_first = sorted(fetched, key=lambda one: not one.is_pair)
    return [(one.key, f"{one.base}-{one.quote}, {'all venues' if one.is_pair else one.venue}") for one in pairs_first]


class RuleForm(forms.Form):
    """One thing to be told of one instrument."""

    instrument = forms.ChoiceField(
        label="Instrument",
        choices=instrument_choices,
        error_messages={"invalid_choice": "Choose an instrument that is fetched: of others nothing new comes."},
    )
    kind = forms.ChoiceField(label="Tell me when", choices=Rule.Kind.choices)
    threshold_pct = forms.DecimalField(
        label="Threshold, %",
        required=False,
        max_digits=5,
        decimal_places=2,
        error_messages=_NUMBER,
        help_text="Of the price to the zone's near edge, or of the chance; not for the other kinds.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    horizon = forms.ChoiceField(label="Chance within", required=False, choices=HORIZONS, initial="24h")
    by_mail = forms.BooleanField(label="By e-mail, too", required=False)

    def clean_instrument(self) -> int:
        """Find the instrument; its id is the cleaned value."""
        try:
            return get_instrument(key=str(self.cleaned_data["instrument"])).pk
        except ObjectDoesNotExist as absent:
            raise ValidationError("There is no such instrument.") from absent

    def clean(self) -> dict[str, Any]:
        """Ask for a threshold where the kind has one; leave out what it has not."""
        chosen: dict[str, Any] = super().clean() or self.cleaned_data
        kind = chosen.get("kind")
        if kind not in _THRESHOLDS:
            return {**chosen, "threshold_pct": Decimal(0), "horizon": ""}
        least, most = _THRESHOLDS[Rule.Kind(kind)]
        threshold = chosen.get("threshold_pct")
        if "threshold_pct" not in self.errors and (threshold is None or not least <= threshold <= most):
            self.add_error("threshold_pct", f"Give a number from {least} to {most}.")
        return {**chosen, "horizon": (chosen.get("horizon") or "24h") if kind == Rule.Kind.CHANCE else ""}

    def wish(self) -> Wish:
        """Return what was asked for."""
        chosen = self.cleaned_data
        return Wish(chosen["instrument"], chosen["kind"], chosen["threshold_pct"], chosen["horizon"])


class PreferencesForm(forms.Form):
    """When e-mails may come."""

    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label="Quiet until", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    digest_minutes = forms.IntegerField(
        label="At most one e-mail in, minutes",
        min_value=5,
        max_value=1440,
        error_messages={
            "min_value": "Give 5 minutes or more.",
            "max_value": "Give at most 1440 minutes, which is a day.",
        },
    )

    plans_by_mail = forms.BooleanField(label="Write when a plan is entered, near expiry or ended", required=False)

    def clean(self) -> dict[str, Any]:
        """Take both ends of the quiet hours, or none."""
        chosen: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = chosen.get("quiet_from"), chosen.get("quiet_until")
        if (start is None) != (end is None) and not self.errors:
            self.add_error("quiet_until" if end is None else "quiet_from", "Give both ends, or none.")
        elif start is not None and start == end:
            self.add_error("quiet_until", "Give another time than the beginning.")
        return chosen


def initial_of(preferences: Preferences) -> dict[str, Any]:
    """Return what the form begins with."""
    names = ("quiet_from", "quiet_until", "digest_minutes", "plans_by_mail")
    return {name: getattr(preferences, name) for name in names}
