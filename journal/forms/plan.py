"""The plan form, in the order of the workflow: context, scenario, confirmation, execution, risk, belief."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from access.reading import in_zone
from journal.forms.fields import NumberField, amount_field, choice_field, count_field, price_field, text_field
from journal.models import Plan
from journal.operations import MOST_SETUPS, RISK_MOST, Terms, find_problems, spell_targets, tidy_words
from journal.pages.words import zone_text
from journal.verdict import Confirmation, Rule, to_data

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULES: Final = [
    ("", "None: the entry counts by itself"),
    (Rule.CLOSE_BEYOND.value, "A candle closes beyond a price"),
    (Rule.RECLAIM.value, "A candle closes back beyond a price it had lost"),
    (Rule.SWEEP_RECLAIM.value, "The price trades through a level, then a candle closes back"),
    (Rule.VOLUME.value, "A candle's volume is so many times the usual"),
    (Rule.OPEN_INTEREST.value, "Open interest changes by so many percent in a candle"),
    (Rule.MANUAL.value, "I press a button when I see it"),
]
_CANDLES: Final = [("5", "5 minutes"), ("1", "1 minute"), ("15", "15 minutes"), ("60", "1 hour"), ("240", "4 hours")]
# Terms that a plan to observe does not have.
_TRADED: Final = ("entry", "invalidation", "risk_pct", "max_chase", "trail_atr", "time_stop_hours", "leverage")
_NEEDED: Final = {
    "entry": "Give a price.",
    "invalidation": "Give a price.",
    "target": "Give a price.",
    "risk_pct": "Give the risk in percent.",
}
# Problems are told of terms; the form has them in these fields.
FIELD_OF: Final = {"targets": "target", "confirmation": "confirm_rule"}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form: its fields, and by their heading those that are folded away while nobody uses them."""

    name: str
    title: str
    fields: tuple[str, ...]
    folded: dict[str, tuple[str, ...]] = field(default_factory=dict)


class PlanForm(forms.Form):
    """The terms of a plan; nothing else can be sent with it."""

    more_zones = forms.TypedMultipleChoiceField(
        label="Further zones",
        coerce=int,
        required=False,
        help_text="Zones of the same map that the plan rests on as well. Their evidence is frozen too.",
        error_messages={"invalid_choice": "Choose zones of the list."},
        widget=forms.SelectMultiple(attrs={"size": 4}),
    )
    direction = forms.ChoiceField(
        label="Direction",
        choices=Plan.Direction.choices,
        widget=forms.RadioSelect,
        help_text="Observe: a place and a scenario, no prices and no risk.",
        error_messages={"required": "Choose long or short.", "invalid_choice": "Choose long or short."},
    )
    thesis = text_field("Scenario", "Why this zone matters, and what should happen.", most=4000, rows=5, is_needed=True)
    wrong_if = text_field(
        "What would make it wrong", "Beside the price: what would you have to see?", most=2000, rows=3, is_needed=False
    )
    setups = forms.CharField(
        label="Setup tags",
        help_text=f"Your own words, with commas between them; up to {MOST_SETUPS}.",
        required=False,
        max_length=300,
        error_messages={"max_length": "Shorten the tags to 300 characters."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    confirm_rule = choice_field("Confirmation", _RULES, "What has to happen before the entry counts.")
    confirm_price = price_field("Level of the rule")
    confirm_minutes = choice_field("Candle", _CANDLES)
    confirm_amount = amount_field(
        "Amount of the rule", "Times the mean of 20 candles, or percent; a fall is negative.", least="-100", most="100"
    )
    entry_kind = choice_field("Entry", list(Plan.EntryKind.choices))
    entry = price_field("Entry price", "Where the position would be opened.")
    max_chase = amount_field("Furthest fill, R", "How far beyond the entry it may be filled.", least="0", most="5")
    invalidation = price_field("Invalidation", "The price at which the idea is wrong.")
    target = price_field("Target", "The price at which the idea has paid.")
    share = amount_field("Closed there, %", "Empty: what is left.", least="1", most="100", example="50")
    target_2 = price_field("Second target")
    share_2 = amount_field("Closed there, %", "Empty: what is left.", least="1", most="100", example="50")
    target_3 = price_field("Third target", "Closes the rest.")
    management = choice_field("Stop afterwards", list(Plan.Management.choices))
    trail_atr = amount_field("Trails at, ATR", "Hourly ATR below or above each close.", least="0.1", most="50")
    trigger_source = choice_field(
        "Stop is set off by", list(Plan.TriggerSource.choices), "Of your order. The verdict goes by the last price."
    )
    expires_at = forms.DateTimeField(
        label=in_zone("Expires"),
        help_text="Within 30 days. A plan that has not been entered by then is over.",
        error_messages={"required": "Choose a time.", "invalid": "Write the time as 2026-01-31 14:30."},
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    time_stop_hours = count_field("Time stop, hours", "Closed so long after the entry.", least=1, most=2160)
    equity = NumberField(
        label="Account",
        help_text="In what the contract is paid in. Empty: no size is worked out.",
        required=False,
        max_digits=20,
        decimal_places=8,
        min_value=Decimal("1e-8"),
        error_messages={"min_value": "Give an amount above 0."},
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    risk_pct = NumberField(
        label="Risk, % of equity",
        help_text="What a stop at the invalidation would cost.",
        required=False,
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=RISK_MOST,
        error_messages={
            "invalid": "Write a number with a point, like 0.5.",
            "min_value": "Give at least 0.01 percent.",
            "max_value": "Give at most 100 percent.",
            "max_digits": "Give at most 100 percent, with two decimals.",
            "max_decimal_places": "Give at most two decimals.",
            "max_whole_digits": "Give at most 100 percent.",
        },
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    leverage = amount_field("Leverage", "Sets the margin, not the risk.", least="1", most="500", example="10")
    belief_pct = count_field("Belief, %", "Chance that the first target comes before the stop.", least=0, most=100)
    conviction = choice_field("Conviction", [("", "—"), *((str(n), str(n)) for n in range(1, 6))])
    request_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    # When the form was left unfinished; None where it begins anew.
    kept_at: dt.datetime | None = None

    # The sections in which a page shows the fields: those that most plans use, then others under headings.
    SECTIONS: ClassVar[tuple[Section, ...]] = (
        Section(
            "scenario", "Scenario", ("direction", "thesis", "wrong_if"),
            {"Tags and further zones": ("setups", "more_zones")},
        ),
        Section("confirmation", "Confirmation", ("confirm_rule", "confirm_price", "confirm_minutes", "confirm_amount")),
        Section(
            "execution", "Execution", ("entry_kind", "entry", "invalidation", "target", "expires_at"),
            {
                "Further targets": ("share", "target_2", "share_2", "target_3"),
                "Chase, stop and time": (
                    "max_chase", "time_stop_hours", "management", "trail_atr", "trigger_source",
                ),
            },
        ),
        Section("risk", "Risk", ("risk_pct", "leverage", "equity")),
        Section("belief", "Belief", ("belief_pct", "conviction")),
    )  # fmt: skip

    def __init__(self, *args: Any, now: dt.datetime, zones: Sequence[Any] = (), **kwargs: Any) -> None:  # noqa: ANN401  # Django's own arguments
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["more_zones"].choices = [(zone.pk, zone_text(zone)) for zone in zones]  # type: ignore[attr-defined]  # a choice field

    def sections(self) -> list[dict[str, Any]]:
        """Return the fields in the order of the workflow; what is folded is open where it is used or refused."""
        return [
            {
                "name": one.name, "title": one.title, "fields": [self[field] for field in one.fields],
                "folded": [
                    (title, [self[field] for field in fields], any(self._is_used(field) for field in fields))
                    for title, fields in one.folded.items()
                ],
            }
            for one in self.SECTIONS
        ]  # fmt: skip

    def _is_used(self, name: str) -> bool:
        """Whether a field was refused, or holds something else than what a list begins with."""
        value = self[name].value()
        return name in self.errors or (bool(value) and [value] != _FIRST.get(name, [])[:1])

    def clean_expires_at(self) -> dt.datetime:
        """Bring a time with an offset to UTC: the database does not take every offset."""
        moment: dt.datetime = self.cleaned_data["expires_at"]
        try:
            return moment.astimezone(dt.UTC)
        except OverflowError as beyond:
            raise ValidationError(self.fields["expires_at"].error_messages["invalid"], code="invalid") from beyond

    def clean_setups(self) -> list[str]:
        """Read tags: trimmed, in small letters, each once."""
        try:
            return tidy_words(self.cleaned_data["setups"].split(","))
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from refusal

    def clean_conviction(self) -> int | None:
        """Read the number."""
        return int(self.cleaned_data["conviction"]) if self.cleaned_data["conviction"] else None

    def clean_confirm_amount(self) -> Decimal | None:
        """Refuse an amount of nothing."""
        amount: Decimal | None = self.cleaned_data["confirm_amount"]
        if amount == 0:
            raise ValidationError("Give an amount other than 0.")
        return amount

    def clean(self) -> dict[str, Any]:
        """Put the terms together and say beside each field what is wrong with it."""
        given = super().clean() or self.cleaned_data
        is_observed = given.get("direction") == Plan.Direction.OBSERVE
        if is_observed:
            given |= dict.fromkeys((*_TRADED, "target", "target_2", "target_3"))
        for name, sentence in {} if is_observed else _NEEDED.items():
            if name in given and given[name] is None:
                self.add_error(name, sentence)
        given["targets"] = self._targets(given)
        given["confirmation"] = self._confirmation(given)
        for name, (first, *_) in _FIRST.items():
            given[name] = given.get(name) or first
        for name, sentence in find_problems(terms=given, now=self.now).items():
            if FIELD_OF.get(name, name) not in self.errors:
                self.add_error(FIELD_OF.get(name, name), sentence)
        return given

    def terms(self) -> Terms:
        """Return the checked terms."""
        return Terms(**{name: self.cleaned_data[name] for name in Terms.__slots__})

    def sent_again(self, label: str) -> None:
        """Say that the same form made a plan of other terms before; the next sending makes another."""
        self.add_error(
            None,
            f"This form was sent before and made {label}, with other terms; {label} stays as it is."
            " What stands here is not saved yet: saving again makes a new draft of it.",
        )
        zones = self.cleaned_data.get("more_zones", [])
        self.data = {**self.data, "more_zones": zones, "request_key": str(uuid.uuid4())}

    def _targets(self, given: dict[str, Any]) -> list[list[str]]:
        prices = [given[name] for name in ("target", "target_2", "target_3") if given.get(name) is not None]
        rest, made = Decimal(1), []
        for i, price in enumerate(prices):
            asked = given.get(("share", "share_2", "")[i]) if i < len(prices) - 1 else None
            share = rest / (len(prices) - i) if asked is None else asked / 100
            share = share if i == len(prices) - 1 else round(share, 4)
            made.append((price, share))
            rest -= share
        return spell_targets(made)

    def _confirmation(self, given: dict[str, Any]) -> dict[str, Any] | None:
        if not given.get("confirm_rule"):
            return {}
        rule, price, amount = Rule(given["confirm_rule"]), given.get("confirm_price"), given.get("confirm_amount")
        minutes = int(given.get("confirm_minutes") or _CANDLES[0][0])
        try:
            made = Confirmation(
                rule, minutes * 60_000, price if rule.needs_price else None, amount if rule.needs_amount else None
            )
        except ValueError as refusal:
            name = "confirm_price" if rule.needs_price else "confirm_amount"
            if name not in self.errors:
                self.add_error(name, str(refusal))
            return None
        return to_data(made)


_FIRST: Final = {
    name: [value for value, _ in PlanForm.base_fields[name].choices]  # type: ignore[attr-defined]  # choice fields
    for name in ("entry_kind", "management", "trigger_source")
}
