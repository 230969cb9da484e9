"""What a zone holds by leverage group, and what it would hold under other priors, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heatmaps import queries
from heatmaps.pages import figures

if TYPE_CHECKING:
    from heatmaps.models import Zone


@dataclass(frozen=True, slots=True)
class Part:
    """One line: an amount, and its share of the estimate or its difference from it."""

    label: str
    usd_text: str
    share_text: str


@dataclass(frozen=True, slots=True)
class Leverage:
    """Six groups, and the estimate under other priors."""

    groups: tuple[Part, ...]
    others: tuple[Part, ...]
    at_text: str


def load(*, zone: Zone) -> Leverage | None:
    """Read it; None where the state is not kept or the zone ended."""
    found = queries.attribution(zone=zone)
    if found is None or found.usd <= 0.0:
        return None
    return Leverage(
        tuple(Part(label, figures.usd(usd), f"{100 * usd / found.usd:.0f}%") for label, usd in found.groups),
        tuple(
            Part(name.capitalize(), figures.usd(usd), figures.signed(figures.pct_away(usd, found.usd), digits=0))
            for name, usd in found.others
        ),
        f"{figures.moment(found.at)} UTC",
    )
