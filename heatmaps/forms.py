"""What the tables over all instruments are asked for: each filter has a default, and nonsense is refused."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms

from heatmaps.models import Zone
from heatmaps.pages.screener import CROWDING
from heatmaps.pages.touches import WORDS
from heatmaps.queries import SORTS, Choice, ZoneChoice

USUAL_SORT: Final = "-interest"
USUAL_HORIZON: Final = "24h"
_PAGES: Final = 10_000


class _Filter(forms.Form):
    """What both filters share: a page of the list, and who fills a field in."""

    # The fields that a person fills in; others stand in the address alone.
    shown: ClassVar[tuple[str, ...]]
    page = forms.IntegerField(required=False, min_value=1, max_value=_PAGES)

    def __init__(self, data: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's own signature
        """Fill in what was left out, so that the fields show what holds."""
        filled = data.copy()
        filled.setdefault("horizon", USUAL_HORIZON)
        super().__init__(filled, *args, **kwargs)

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """Return the fields that a person fills in."""
        return [self[name] for name in self.shown]

    @property
    def address_errors(self) -> list[str]:
        """Say what is wrong with what no field shows."""
        return [f"{name}: {' '.join(map(str, told))}" for name, told in self.errors.items() if name not in self.shown]


class ScreenerFilter(_Filter):
    """Which instruments, in which order, and what is seen of each."""

    shown = ("text", "kind", "crowding", "within", "horizon", "thin")
    text = forms.CharField(required=False, max_length=64, label="Name")
    kind = forms.ChoiceField(
        required=False, label="Kind", choices=[("", "All"), ("pairs", "Asset pairs"), ("contracts", "Contracts")]
    )
    crowding = forms.ChoiceField(
        required=False, label="Crowding", choices=[("", "Any"), *((word, word.capitalize()) for word in CROWDING)]
    )
    within = forms.FloatField(
        required=False,
        min_value=0.1,
        max_value=100,
        label="Nearest cluster within, %",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    horizon = forms.ChoiceField(required=False, label="Chance within", choices=list(WORDS.items()))
    thin = forms.ChoiceField(required=False, label="Thin data", choices=[("", "Shown last"), ("hide", "Hidden")])
    sort = forms.ChoiceField(
        required=False,
        choices=[(sign + name, name) for name in SORTS for sign in ("", "-")],
        widget=forms.HiddenInput,
    )
    view = forms.ChoiceField(
        required=False, choices=[("", "Table"), ("pictures", "Pictures")], widget=forms.HiddenInput
    )

    def choice(self) -> Choice:
        """Return what was asked for."""
        asked: dict[str, Any] = self.cleaned_data
        return Choice(
            text=asked["text"],
            kind=asked["kind"] or "all",
            crowding=asked["crowding"],
            within_pct=asked["within"],
            is_thin_shown=asked["thin"] != "hide",
            horizon=asked["horizon"] or USUAL_HORIZON,
            sort=asked["sort"] or USUAL_SORT,
        )


class ZoneFilter(_Filter):
    """Which zones, in which order."""

    shown = ("state", "side", "text", "horizon", "chance", "sort")
    state = forms.ChoiceField(
        required=False,
        label="State",
        choices=[("living", "Living"), ("past", "Over"), ("all", "All"), *Zone.State.choices],
    )
    side = forms.ChoiceField(required=False, label="Side", choices=[("", "Both"), ("1", "Longs"), ("-1", "Shorts")])
    text = forms.CharField(required=False, max_length=64, label="Instrument")
    horizon = forms.ChoiceField(required=False, label="Chance within", choices=list(WORDS.items()))
    chance = forms.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        label="Chance at least, %",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    sort = forms.ChoiceField(
        required=False,
        label="Order",
        choices=[
            ("nearest", "Nearest first"),
            ("newest", "Newest first"),
            ("changed", "Changed last"),
            ("largest", "Largest first"),
            ("likeliest", "Highest chance"),
        ],
    )

    def choice(self) -> ZoneChoice:
        """Return what was asked for; living zones unless something else is said."""
        asked: dict[str, Any] = self.cleaned_data
        return ZoneChoice(
            state=asked["state"] or "living",
            position_side=int(asked["side"]) if asked["side"] else None,
            text=asked["text"],
            horizon=asked["horizon"] or USUAL_HORIZON,
            least_chance=None if asked["chance"] is None else asked["chance"] / 100.0,
            sort=asked["sort"] or "nearest",
        )
