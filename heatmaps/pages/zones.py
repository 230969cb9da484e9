"""Zones in words: the clusters of the rail, the rows of the table, the page of one zone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from heatmaps.pages import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.models import Zone
    from heatmaps.pages.places import Where
    from heatmaps.pages.touches import Chance

CLUSTERS_A_SIDE: Final = 3
_BAR_UNITS: Final = 100.0


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone, ready to print."""

    pk: int
    label: str
    is_long: bool
    state: str
    is_alive: bool
    state_text: str
    price_text: str
    band_text: str
    distance_text: str
    usd_text: str
    interval_text: str
    born_text: str
    tested_text: str
    spoken: str
    # One of the nearest of its side; a narrow page shows these first.
    is_near: bool = False
    # Of an active zone: the chance of a touch by horizon.
    chances: tuple[Chance, ...] = ()
    # Of one that lives: where it lies in structure.
    where: Where | None = None

    @property
    def side(self) -> str:
        """Return the side's word."""
        return "Longs" if self.is_long else "Shorts"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A zone as a bar with its interval as a whisker, on 100 units."""

    row: ZoneRow
    bar: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """The nearest active zones above (far to near) and below (near to far)."""

    above: tuple[Cluster, ...]
    below: tuple[Cluster, ...]
    summary: str


def row(*, zone: Zone, last: float | None, digits: int) -> ZoneRow:
    """Put one zone into words."""
    # Prices of a band are rounder than ticks: four digits less doubt than the estimate has.
    coarse = max(0, digits - 1)
    away = figures.pct_away(zone.price_peak, last) if last else None
    amount, interval = figures.usd(zone.usd), figures.usd_range(zone.usd_low, zone.usd_high)
    side = "longs" if zone.position_side == 1 else "shorts"
    peak = figures.price(zone.price_peak, coarse)
    return ZoneRow(
        pk=zone.pk,
        label=zone.label,
        is_long=zone.position_side == 1,
        state=zone.state,
        is_alive=zone.is_alive,
        state_text=_state(zone),
        price_text=peak,
        band_text=figures.price_range(zone.price_low, zone.price_high, coarse),
        distance_text=figures.signed(away),
        usd_text=amount,
        interval_text=interval,
        born_text=figures.moment(zone.born_at),
        tested_text=figures.moment(zone.tested_at),
        spoken=f"{zone.label}, estimated {side} near {peak}, {amount}, 80 % interval {interval}",
    )


def _state(zone: Zone) -> str:
    if zone.is_alive:
        return f"{zone.get_state_display()}, touched" if zone.tested_at else zone.get_state_display()
    return f"{zone.get_state_display()} {figures.moment(zone.ended_at)}"


def table(*, zones: Sequence[Zone], last: float | None, digits: int) -> list[ZoneRow]:
    """Return active zones from the highest price down, then those that ended, newest first."""
    active = sorted((zone for zone in zones if zone.is_alive), key=lambda zone: -zone.price_peak)
    ended = [zone for zone in zones if not zone.is_alive]
    near = {zone.pk for side in _sides(zones) for zone in side[:CLUSTERS_A_SIDE]}
    rows = [row(zone=zone, last=last, digits=digits) for zone in [*active, *ended]]
    return [replace(one, is_near=one.pk in near) for one in rows]


def _sides(zones: Sequence[Zone]) -> tuple[list[Zone], list[Zone]]:
    """Return active zones of shorts and of longs, the nearest to the price first."""
    active = [zone for zone in zones if zone.is_alive]
    above = sorted((zone for zone in active if zone.position_side == -1), key=lambda zone: zone.price_peak)
    return above, sorted((zone for zone in active if zone.position_side == 1), key=lambda zone: -zone.price_peak)


def clusters(*, zones: Sequence[Zone] | None, last: float | None, digits: int) -> Clusters:
    """Return the nearest active zones on each side and the sentence that sums them up; None where no map exists."""
    if zones is None:
        return Clusters((), (), "No estimate yet: the map of this instrument has not been built.")
    above, below = _sides(zones)
    shown = above[:CLUSTERS_A_SIDE] + below[:CLUSTERS_A_SIDE]
    top = max((zone.usd_high for zone in shown), default=1.0) or 1.0
    return Clusters(
        above=tuple(_cluster(zone, last, digits, top) for zone in reversed(above[:CLUSTERS_A_SIDE])),
        below=tuple(_cluster(zone, last, digits, top) for zone in below[:CLUSTERS_A_SIDE]),
        summary=_summary(above, below, last, digits),
    )


def _cluster(zone: Zone, last: float | None, digits: int, top: float) -> Cluster:
    def units(usd: float) -> str:
        return f"{min(1.0, usd / top) * _BAR_UNITS:.1f}"

    shown = row(zone=zone, last=last, digits=digits)
    return Cluster(row=shown, bar=units(zone.usd), low=units(zone.usd_low), high=units(zone.usd_high))


def _summary(above: Sequence[Zone], below: Sequence[Zone], last: float | None, digits: int) -> str:
    if not above and not below:
        return "No estimated cluster stands out at present."
    parts = [f"{_count(len(above), 'short')} above and {_count(len(below), 'long')} below the last price."]
    nearest = [("above", above), ("below", below)]
    named = [f"the nearest {word} is {_place(zones[0], last, digits)}" for word, zones in nearest if zones]
    sentence = "; ".join(named)
    return f"{parts[0]} {sentence[0].upper()}{sentence[1:]}."


def _count(number: int, side: str) -> str:
    return f"{number} estimated {side} cluster{'' if number == 1 else 's'}"


def _place(zone: Zone, last: float | None, digits: int) -> str:
    shown = row(zone=zone, last=last, digits=digits)
    return f"{shown.band_text} ({shown.distance_text}), {shown.usd_text}, 80% interval {shown.interval_text}"
