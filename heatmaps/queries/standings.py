"""Where instruments stand, many at once, and which way the estimates around a price lean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.models import ALIVE, Standing, Zone
from market import queries as market
from market.series import STEP_MS, epoch_ms, moment

from .maps import get_heatmaps

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from heatmaps.models import Heatmap

NEAR_PCT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lean:
    """(shorts − longs) / (shorts + longs) near a price, −1 to 1, and between what it lies.

    low, high: with each amount at the end of its 80 % interval that moves it farthest; both at once, so that they reach
    farther than an 80 % interval would.
    """

    share: float
    low: float
    high: float


def lean_of(standing: Standing) -> Lean | None:
    """Return which way the estimates within 5 % lean; None in a gap, and where nothing is estimated there."""
    longs, shorts = standing.longs_usd, standing.shorts_usd
    if longs is None or shorts is None or longs + shorts <= 0:
        return None
    assert standing.longs_low is not None  # a constraint
    assert standing.longs_high is not None
    assert standing.shorts_low is not None
    assert standing.shorts_high is not None
    low = _share(longs=standing.longs_high, shorts=standing.shorts_low)
    high = _share(longs=standing.longs_low, shorts=standing.shorts_high)
    return Lean(_share(longs=longs, shorts=shorts), low, high)


def _share(*, longs: float, shorts: float) -> float:
    whole = longs + shorts
    return 0.0 if whole <= 0 else (shorts - longs) / whole


def standings_of(*, instrument_ids: Sequence[int]) -> dict[int, Standing]:
    """Return where each instrument stands, by id, in one statement."""
    return {one.instrument_id: one for one in Standing.objects.filter(instrument__in=instrument_ids)}


def living_zones(*, heatmap_ids: Sequence[int]) -> dict[int, list[Zone]]:
    """Return the zones that are alive by map, in one statement, without their evidence."""
    grouped: dict[int, list[Zone]] = {pk: [] for pk in heatmap_ids}
    alive = Zone.objects.filter(heatmap__in=heatmap_ids, state__in=ALIVE).defer("evidence").order_by("pk")
    for zone in alive:
        grouped[zone.heatmap_id].append(zone)
    return grouped


def standing_edge(heatmap: Heatmap) -> dt.datetime | None:
    """Return the end of the newest five minutes of which both bars and a committed column are there."""
    return _edge(heatmap, market.stored_span(instrument_id=heatmap.instrument_id))


def _edge(heatmap: Heatmap, span: tuple[dt.datetime, dt.datetime] | None) -> dt.datetime | None:
    if span is None or heatmap.built_through is None:
        return None
    return moment(epoch_ms(min(span[1], heatmap.built_through)) // STEP_MS * STEP_MS)


def standing_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:  # noqa: ARG001  # asked like every errand
    """Return the instruments of which a column has been committed since it was told where they stand."""
    spans = market.stored_spans(instrument_ids=instrument_ids)
    found = get_heatmaps(instrument_ids=instrument_ids)
    told = dict(Standing.objects.filter(instrument__in=instrument_ids).values_list("instrument_id", "as_of"))
    edges = {pk: _edge(heatmap, spans.get(pk)) for pk, heatmap in found.items()}
    return {pk for pk, edge in edges.items() if edge is not None and not (pk in told and told[pk] >= edge)}
