"""One zone's page: what it is now, and what was frozen when it formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heatmaps import queries
from heatmaps.pages import figures, terminal, zones
from market import queries as market

if TYPE_CHECKING:
    from heatmaps.models import Zone
    from heatmaps.palette import Theme
    from market.models import Instrument


@dataclass(frozen=True, slots=True)
class Step:
    """One station of a zone's life; ``when`` is a dash where it has not come."""

    label: str
    when: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class ZonePage:
    """What the page shows."""

    zone: Zone
    row: zones.ZoneRow
    instrument: Instrument
    title: str
    venue: str
    steps: tuple[Step, ...]
    evidence: tuple[tuple[str, str], ...]
    record: str


def load(*, zone_id: int, theme: Theme) -> ZonePage:
    """Read the page of a zone."""
    zone = queries.get_zone(zone_id=zone_id)
    instrument = zone.heatmap.instrument
    digits = figures.decimals(instrument.tick_size)
    release = zone.heatmap.release
    return ZonePage(
        zone=zone,
        row=zones.row(zone=zone, last=None, digits=digits),
        instrument=instrument,
        title=f"{instrument.base}-{instrument.quote} perpetual",
        venue=terminal.venue_label(instrument),
        steps=_steps(zone),
        evidence=(),
        record=f"{release.slug} {release.version}",
    )


def _steps(zone: Zone) -> tuple[Step, ...]:
    ended = zone.get_state_display() if zone.state != "active" else "Ended"
    return (
        Step("Formed", figures.moment(zone.born_at), is_reached=True),
        Step("Tested", figures.moment(zone.tested_at) if zone.tested_at else "not yet", zone.tested_at is not None),
        Step(ended, figures.moment(zone.ended_at) if zone.ended_at else "not yet", zone.ended_at is not None),
    )
