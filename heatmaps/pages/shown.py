"""What was shown of maps of an instrument, from the run that stands on the scorecard; or that nothing is scored yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from heatmaps.pages import scorecard

if TYPE_CHECKING:
    from market.models import Instrument

_KEPT: Final = "heatmaps:scored-claims"
# A run that was scored meanwhile waits so long at most.
_KEEP_SECONDS: Final = 30
# The claims about a map's places and sizes.
_TEXTS: Final = ("Locates liquidations beyond the wick", "Sizes beyond geometry")


@dataclass(frozen=True, slots=True)
class Shown:
    """Claims with their figures, in words; ``about`` names another instrument where this one was not scored."""

    claims: tuple[scorecard.Claim, ...]
    about: str
    command: str


def load(*, instrument: Instrument) -> Shown:
    """Read what stands for an instrument, else what stands for the first other one that was scored."""
    scored = _scored()
    mine = [one for one in scored if one.subject == instrument.key]
    other = next((one.subject for one in scored), "")
    chosen = mine or [one for one in scored if one.subject == other]
    # A pair is scored by its members alone.
    name = "INSTRUMENT" if instrument.is_pair else instrument.key
    command = f"python3 manage.py score {name} --against hourly-totals"
    return Shown(tuple(chosen), "" if mine else other, command)


def _scored() -> list[scorecard.Claim]:
    return cache.get_or_set(_KEPT, _read, _KEEP_SECONDS) or []


def _read() -> list[scorecard.Claim]:
    return [one for one in scorecard.load_claims() if one.text in _TEXTS and one.runs]
