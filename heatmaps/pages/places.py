"""Where zones lie in the structure around the price, and what rests in the order book on the way to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.core.structure import Place, Placed, Resting, place_band, resting_within
from heatmaps.pages import context, figures

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from heatmaps.models import Zone
    from heatmaps.pages.context import Context
    from heatmaps.pages.touches import Touching
    from market.models import Instrument

NO_BOOK: Final = "no order book stored in the last hour"
_BPS: Final = 1e4
_WORDS: Final = {
    Place.NOISE: "Noise",
    Place.INSIDE: "Inside the range",
    Place.AT_BOUNDARY: "At the boundary",
    Place.BEYOND: "Beyond the range",
    Place.BEHIND: "Beyond, behind a larger zone",
}


@dataclass(frozen=True, slots=True)
class Where:
    """One living zone as it is seen from the price.

    placed: the label and its numbers; reason: why there is no label; resting: the book on the way, None with
    ``book_reason``; node: the nearest low-volume node on the way [price].
    """

    placed: Placed
    reason: str
    resting: Resting | None
    book_reason: str
    node: float | None
    digits: int

    @property
    def text(self) -> str:
        """Write the label."""
        return _WORDS[self.placed.place] if self.placed.place else figures.DASH

    @property
    def note(self) -> str:
        """Write what the label rests on, or why there is none."""
        told = []
        if self.placed.sigmas is not None:
            told.append(f"{self.placed.sigmas:.1f} standard deviations of 4 h away")
        if self.placed.past is not None:
            word = "past" if self.placed.past > 0 else "short of"
            clean = "a clean boundary" if self.placed.is_clean else "a boundary that is not clean"
            told.append(
                f"{abs(self.placed.past) * 100:.2f}% {word} {clean} (± {100 * (self.placed.epsilon or 0):.2f}%)"
            )
        if self.node is not None:
            told.append(f"low-volume node at {figures.price(self.node, self.digits)} on the way")
        return "; ".join([self.reason, *told] if self.reason else told)

    @property
    def book_text(self) -> str:
        """Write what rests on the way."""
        if self.resting is None:
            return figures.DASH
        return f"over {figures.usd(self.resting.low)}" if self.resting.usd is None else figures.usd(self.resting.usd)

    @property
    def book_note(self) -> str:
        """Write between what it surely lies, or why nothing is known."""
        if self.resting is None or self.resting.usd is None:
            return self.book_reason or "the profile ends before the zone"
        return figures.usd_range(self.resting.low, self.resting.high)


def load(
    *, instrument: Instrument, zones: Sequence[Zone], touching: Touching, as_of: dt.datetime | None
) -> dict[int, Where]:
    """Place the living zones as of a moment, by id, seen from the price of their chances."""
    alive = [zone for zone in zones if zone.ended_at is None]
    if not alive or as_of is None or not touching.price:
        return {}
    found, price, sigma = context.load(instrument=instrument, as_of=as_of), touching.price, touching.sigma
    return {zone.pk: place(zone=zone, others=alive, last=price, found=found, sigma=sigma) for zone in alive}


def place(*, zone: Zone, others: Sequence[Zone], last: float, found: Context, sigma: float | None) -> Where:
    """Place one zone among the others that live; sigma: the standard deviation of four hours [ln], None if unknown."""
    placed = place_band(
        low=zone.price_low,
        high=zone.price_high,
        price=last,
        found=found.range,
        sigma=sigma,
        is_behind=any(_hides(other, zone, found) for other in others),
    )
    is_ask = zone.price_low > last
    resting = resting_within(found.depth, distance_bps=math.expm1(placed.distance) * _BPS, is_ask=is_ask)
    return Where(
        placed=placed,
        reason="" if placed.place else found.range_reason,
        resting=resting,
        book_reason="" if resting else NO_BOOK,
        node=_node(zone, last, found.nodes),
        digits=found.digits,
    )


def _hides(other: Zone, zone: Zone, found: Context) -> bool:
    """Whether a larger zone lies between the range's boundary and this zone."""
    if found.range is None or other.usd <= zone.usd:
        return False
    upper, lower = found.range.upper.price, found.range.lower.price
    is_above = upper < other.price_high <= zone.price_low
    return is_above or zone.price_high <= other.price_low < lower


def _node(zone: Zone, last: float, nodes: tuple[float, ...]) -> float | None:
    """Return the node nearest to the price between it and the zone."""
    low, high = sorted((last, zone.price_low if zone.price_low > last else zone.price_high))
    between = [node for node in nodes if low < node < high]
    return min(between, key=lambda node: abs(node - last), default=None)
