"""Every pair and instrument beside each other, as numbers: by as many statements for six hundred as for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from heatmaps.core.reach import HORIZONS
from market import queries as market

from .doubts import age_doubt, aged
from .maps import get_heatmaps
from .reach import near_edge
from .standings import Lean, lean_of, living_zones, standings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from heatmaps.models import Heatmap, Standing, Zone
    from market.models import Instrument
    from market.queries import Day, Freshness, VenueHealth

Kind: TypeAlias = Literal["all", "pairs", "contracts"]
INSIDE: Final = "price is inside"
NOT_STATED: Final = "not stated yet: that is done each five minutes"
# Figures that are further behind the bars are old news.
LATE: Final = dt.timedelta(minutes=15)
LEAST_COVERAGE_PCT: Final = 50.0


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest living zone on one side: how far its near edge is [%, signed] and its chances of a touch by horizon.

    refused: why there is no chance, by horizon.
    """

    zone: Zone
    away_pct: float
    chances: Mapping[str, float]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one instrument; ``reason`` says why its figures are not to be set beside the others'.

    last [quote per base], change_pct over 24 h, interest_usd: open interest; above: shorts, below: longs, which are
    None, too, where nothing is estimated yet.
    """

    instrument: Instrument
    freshness: Freshness
    outage: VenueHealth | None
    last: float | None
    change_pct: float | None
    interest_usd: float | None
    is_estimated: bool
    above: Near | None
    below: Near | None
    standing: Standing | None
    lean: Lean | None
    reason: str

    @property
    def nothing_near(self) -> str:
        """What to say where there is no cluster on a side."""
        return "none stands out" if self.is_estimated else "no estimate yet"

    @property
    def nearest_pct(self) -> float | None:
        """Return the distance of the nearer of the two zones [%]."""
        return min((abs(one.away_pct) for one in (self.above, self.below) if one), default=None)

    def chance(self, horizon: str) -> float | None:
        """Return the larger of both zones' chances of a touch."""
        found = [one.chances.get(horizon) for one in (self.above, self.below) if one]
        return max((chance for chance in found if chance is not None), default=None)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lines, in which order. sort: a key of SORTS, a minus before it for the largest first."""

    text: str = ""
    kind: Kind = "all"
    crowding: str = ""
    within_pct: float | None = None
    is_thin_shown: bool = True
    horizon: str = "24h"
    sort: str = "-interest"


SORTS: Final[Mapping[str, Callable[[Line, str], float | str | None]]] = {
    "name": lambda line, _: line.instrument.key,
    "change": lambda line, _: line.change_pct,
    "interest": lambda line, _: line.interest_usd,
    "interest-percentile": lambda line, _: line.standing.interest_percentile if line.standing else None,
    "funding-percentile": lambda line, _: line.standing.funding_percentile if line.standing else None,
    "below": lambda line, _: -line.below.away_pct if line.below else None,
    "above": lambda line, _: line.above.away_pct if line.above else None,
    "chance": lambda line, horizon: line.chance(horizon),
    "lean": lambda line, _: line.lean.share if line.lean else None,
    "coverage": lambda line, _: line.standing.coverage_pct if line.standing else None,
    "age": lambda line, _: -line.freshness.as_of.timestamp() if line.freshness.as_of else None,
}


def screen(*, choice: Choice, now: dt.datetime) -> list[Line]:
    """Return the lines of a choice in its order; what is thin comes last, what is not known last among its like."""
    chosen = [line for line in _lines(now) if _fits(line, choice)]
    name, is_down = choice.sort.removeprefix("-"), choice.sort.startswith("-")
    value = {id(line): SORTS[name](line, choice.horizon) for line in chosen}
    known = [line for line in chosen if value[id(line)] is not None]
    known.sort(key=lambda line: value[id(line)], reverse=is_down)  # type: ignore[arg-type, return-value]  # of one kind
    unknown = [line for line in chosen if value[id(line)] is None]
    return sorted([*known, *unknown], key=lambda line: bool(line.reason))


def _fits(line: Line, choice: Choice) -> bool:
    instrument = line.instrument
    name = f"{instrument.key} {instrument.base}-{instrument.quote}".lower()
    return (
        choice.text.lower() in name
        and (choice.kind == "all" or (choice.kind == "pairs") == instrument.is_pair)
        and (not choice.crowding or (line.standing is not None and line.standing.crowding == choice.crowding))
        and (choice.within_pct is None or (line.nearest_pct is not None and line.nearest_pct <= choice.within_pct))
        and (choice.is_thin_shown or not line.reason)
    )


def _lines(now: dt.datetime) -> list[Line]:
    found = market.list_followed()
    pks = [instrument.pk for instrument in found]
    fresh = market.freshness_of_all(instruments=found, now=now)
    days = market.last_days(moments={pk: one.as_of for pk, one in fresh.items() if one.as_of is not None})
    health = {slug: one for slug, one in market.venue_health(now=now).items() if one.is_away}
    maps = get_heatmaps(instrument_ids=pks)
    zones = living_zones(heatmap_ids=[one.pk for one in maps.values()])
    standings = standings_of(instrument_ids=pks)
    return [
        _line(
            instrument=one,
            freshness=fresh[one.pk],
            outage=health.get(one.venue) if one.is_fetched else None,
            day=days.get(one.pk),
            heatmap=maps.get(one.pk),
            zones=_aged(zones, maps.get(one.pk), fresh[one.pk], now),
            standing=standings.get(one.pk),
        )
        for one in found
    ]


def _aged(zones: Mapping[int, list[Zone]], heatmap: Heatmap | None, fresh: Freshness, now: dt.datetime) -> list[Zone]:
    """The living zones of a map, as wide as its age makes them on every page."""
    age = age_doubt(heatmap=heatmap, freshness=fresh, now=now)
    return aged(zones=zones[heatmap.pk], age=age) if heatmap else []


def _line(  # noqa: PLR0913  # what was read for all at once
    *,
    instrument: Instrument,
    freshness: Freshness,
    outage: VenueHealth | None,
    day: Day | None,
    heatmap: Heatmap | None,
    zones: Sequence[Zone],
    standing: Standing | None,
) -> Line:
    last = day.close if day else None
    # One of another version's map tells of other zones.
    current = standing if standing and heatmap and standing.heatmap_id == heatmap.pk else None
    return Line(
        instrument=instrument,
        freshness=freshness,
        outage=outage,
        last=last,
        change_pct=_change(last, day.close_before if day else None),
        interest_usd=_interest(day),
        is_estimated=heatmap is not None and heatmap.built_through is not None,
        above=_nearest([one for one in zones if one.position_side == -1], last, current),
        below=_nearest([one for one in zones if one.position_side == 1], last, current),
        standing=current,
        lean=lean_of(current) if current else None,
        reason=_reason(freshness, heatmap, current),
    )


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else (now / before - 1.0) * 100.0


def _interest(day: Day | None) -> float | None:
    if day is None or day.open_interest is None:
        return None
    if day.open_interest_value is not None:
        return day.open_interest_value
    return None if day.close is None else day.open_interest * day.close


def _nearest(zones: Sequence[Zone], last: float | None, standing: Standing | None) -> Near | None:
    if last is None or not zones:
        return None
    edges = {zone.pk: near_edge(zone, last) for zone in zones}
    away = {zone.pk: 0.0 if (edge := edges[zone.pk]) is None else (edge / last - 1.0) * 100.0 for zone in zones}
    zone = min(zones, key=lambda one: (abs(away[one.pk]), one.pk))
    chances = standing.chances.get(str(zone.pk), {}) if standing and edges[zone.pk] is not None else {}
    return Near(zone, away[zone.pk], chances, _refused(zone, chances, standing, is_inside=edges[zone.pk] is None))


def _refused(
    zone: Zone, chances: Mapping[str, float], standing: Standing | None, *, is_inside: bool
) -> Mapping[str, str]:
    if is_inside:
        return dict.fromkeys(HORIZONS, INSIDE)
    if standing is None or (not chances and not standing.refused and str(zone.pk) not in standing.chances):
        return dict.fromkeys(HORIZONS, NOT_STATED)
    return dict(standing.refused)


def _reason(freshness: Freshness, heatmap: Heatmap | None, standing: Standing | None) -> str:
    """Say why figures are not to be compared; empty where they are."""
    if heatmap is None or heatmap.built_through is None:
        return "no estimate yet: it needs bars and open interest" if freshness.as_of else "no bars stored yet"
    if freshness.is_stale:
        return "its data is not current"
    if standing is None or freshness.as_of is None:
        return NOT_STATED
    if freshness.as_of - standing.as_of > LATE:
        return "the estimate is behind the bars"
    return _lack(standing, is_pair=heatmap.instrument.is_pair)


def _lack(standing: Standing, *, is_pair: bool) -> str:
    if standing.price is None:
        return "data is missing at the newest step"
    if standing.coverage_pct is not None and standing.coverage_pct < LEAST_COVERAGE_PCT:
        what = "the members' known open interest" if is_pair else "a week's bars"
        return f"covers {standing.coverage_pct:.0f}% of {what}"
    return ""
