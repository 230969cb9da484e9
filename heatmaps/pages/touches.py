"""The chance that a price of this volatility touches a zone or a level, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps import queries
from heatmaps.pages import figures

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from heatmaps.models import Zone
    from heatmaps.queries import Around, Reachability

INSIDE: Final = "price is inside"
WORDS: Final = {"4h": "4 h", "24h": "24 h", "3d": "3 d", "7d": "7 d"}
# Distances in ln(price) between which a read-out goes in straight lines: fine where chances change most.
_GRID: Final = tuple(np.round(np.linspace(0.0, 0.5477, 45) ** 2, 5).tolist())


@dataclass(frozen=True, slots=True)
class Chance:
    """One horizon: a percentage, or the reason why there is none."""

    horizon: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Touching:
    """Chances of all active zones of a page, by zone; and what is missing."""

    by_zone: Mapping[int, tuple[Chance, ...]]
    refusal: str
    # The price they are seen from, and the forecast standard deviation of four hours [ln].
    price: float | None = None
    sigma: float | None = None


def load(
    *,
    instrument_id: int,
    zones: Sequence[Zone],
    last: float | None,
    as_of: dt.datetime | None,
    around: Around | None = None,
) -> Touching:
    """Read the chances of a page's zones as of its newest bar; ``around``: the rows, where they were read."""
    if as_of is None:
        return Touching({}, "")
    found = queries.reachability(instrument_id=instrument_id, at=as_of, around=around)
    by_zone = of_zones(zones=zones, found=found, last=last)
    return Touching(by_zone, refusal(found), last or found.price, found.sigma("4h"))


def of_zones(*, zones: Sequence[Zone], found: Reachability, last: float | None) -> dict[int, tuple[Chance, ...]]:
    """Return the chances of each active zone by horizon, seen from the last price."""
    price = last or found.price
    active = [zone for zone in zones if zone.ended_at is None]
    if price is None:
        return {zone.pk: _chances({}, found.refused) for zone in active}
    by_zone = queries.chances_of(zones=active, found=found, price=price)
    return {zone.pk: _chances(by_zone.get(zone.pk), found.refused) for zone in active}


def _chances(row: Mapping[str, float] | None, refused: Mapping[str, str]) -> tuple[Chance, ...]:
    """Put one zone's chances into words; without a row the price is inside."""
    if row is None:
        return tuple(Chance(word, figures.DASH, INSIDE) for word in WORDS.values())
    return tuple(
        Chance(word, percent(row.get(name)), "" if name in row else refused.get(name, queries.NOT_LEARNT))
        for name, word in WORDS.items()
    )


def percent(chance: float | None) -> str:
    """Write a chance as a whole percentage; never as certain or impossible."""
    if chance is None:
        return figures.DASH
    rounded = round(chance * 100)
    return "<1%" if rounded < 1 else ">99%" if rounded > 99 else f"{rounded}%"  # noqa: PLR2004  # of a hundred


def refusal(found: Reachability) -> str:
    """Say why chances are missing, one clause for horizons with the same reason; empty where none is."""
    reasons: dict[str, list[str]] = {}
    for name, reason in found.refused.items():
        reasons.setdefault(reason, []).append(WORDS[name])
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())


def for_client(*, instrument_id: int, as_of: dt.datetime | None) -> dict[str, Any] | None:
    """Return chances by distance for the read-out, down and up, with the reasons of what is missing."""
    if as_of is None:
        return None
    found = queries.reachability(instrument_id=instrument_id, at=as_of)
    if found.price is None or found.log_variances is None:
        return {"distances": [], "down": {}, "up": {}, "refused": found.refused}
    away = np.array(_GRID)
    return {
        "distances": list(_GRID),
        "down": _rounded(found, found.price * np.exp(-away)),
        "up": _rounded(found, found.price * np.exp(away)),
        "refused": found.refused,
    }


def _rounded(found: Reachability, levels: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    return {name: [round(one, 4) for one in row] for name, row in found.chances(levels.tolist()).items()}
