"""Which map of an instrument is the one to look at, and by what name its tiles are asked for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Count, Sum
from django.db.models.functions import Length

from heatmaps.core.estimators import BUILT, registered_version, tracked
from heatmaps.models import Heatmap, Tile
from market import queries as market
from market.series import EPOCH, STEP_MS, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from market.models import Instrument
    from market.queries import Freshness

DEFAULT_ESTIMATOR: Final = BUILT[0]
# A new release takes over once it has come so close to the end of the one before.
_CATCHES_UP: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MapSize:
    """How many tiles a map has and what they take [bytes]."""

    tiles: int
    tile_bytes: int


class Found(NamedTuple):
    """An instrument, how fresh its bars are, and the map to show of it if there is one."""

    instrument: Instrument
    freshness: Freshness
    heatmap: Heatmap | None


def find(*, key: str, now: dt.datetime, estimator: str = DEFAULT_ESTIMATOR) -> Found:
    """Return what every page begins with, in one question where there is a map; raise Instrument.DoesNotExist."""
    venue, symbol = market.split_key(key=key)
    maps = _released(estimator).filter(instrument__venue=venue, instrument__symbol=symbol)
    told = list(maps.annotate(as_of=market.newest_bar("instrument_id")))
    if not told:
        instrument = market.get_instrument(key=key)
        return Found(instrument, market.freshness(instrument=instrument, now=now), None)
    chosen = _choose(told, registered_version(estimator))
    freshness = market.judge_freshness(instrument=chosen.instrument, as_of=told[0].as_of, now=now)
    return Found(chosen.instrument, freshness, chosen)


def get_heatmap(*, instrument_id: int, estimator: str = DEFAULT_ESTIMATOR) -> Heatmap | None:
    """Return the map to show, with its release and instrument: the registered version's, once it has caught up.

    Until then the one of another version that reaches farthest; None where no version has a map. An asset pair's map
    by an estimator is the sum of its members' maps by it.
    """
    return get_heatmaps(instrument_ids=[instrument_id], estimator=estimator).get(instrument_id)


def get_heatmaps(*, instrument_ids: Sequence[int], estimator: str = DEFAULT_ESTIMATOR) -> dict[int, Heatmap]:
    """Return the map to show of each instrument that has one, by instrument id, with one question for all of them."""
    version, groups = registered_version(estimator), defaultdict(list)
    for heatmap in _maps(instrument_ids, estimator):
        groups[heatmap.instrument_id].append(heatmap)
    return {pk: _choose(maps, version) for pk, maps in groups.items()}


def get_current_heatmap(*, instrument_id: int, estimator: str) -> Heatmap | None:
    """Return the map of the registered version, however far it is built: the one that is worked on."""
    return get_current_heatmaps(instrument_ids=[instrument_id], estimator=estimator).get(instrument_id)


def get_current_heatmaps(*, instrument_ids: Sequence[int], estimator: str) -> dict[int, Heatmap]:
    """Return the same of many instruments, by id, with one question; one without such a map is left out."""
    version = registered_version(estimator)
    # Of a pair the sum's release comes first; the first of equals is the newest.
    found = [one for one in _maps(instrument_ids, estimator) if one.release.version == version]
    return {one.instrument_id: one for one in reversed(found)}


def tracking_due(*, instrument_ids: Sequence[int]) -> set[int]:
    """Return the instruments whose columns wait for their zones, or that lack a map which could say that none do."""
    due: set[int] = set()
    for slug in tracked():
        maps = get_current_heatmaps(instrument_ids=instrument_ids, estimator=slug)
        due |= {pk for pk in instrument_ids if pk not in maps or _waits(maps[pk])}
    return due


def _waits(heatmap: Heatmap) -> bool:
    return heatmap.zones_through is None or heatmap.zones_through < (heatmap.built_through or EPOCH)


def sum_slug(estimator: str) -> str:
    """Name the sum of members' maps by an estimator; its versions are the estimator's."""
    return f"sum-{estimator}"


def _maps(instrument_ids: Sequence[int], estimator: str) -> list[Heatmap]:
    return list(_released(estimator).filter(instrument_id__in=instrument_ids))


def _released(estimator: str) -> QuerySet[Heatmap]:
    maps = Heatmap.objects.select_related("release", "instrument").order_by("-release_id")
    return maps.filter(release__slug__in=(estimator, sum_slug(estimator)))


def _choose(maps: Sequence[Heatmap], version: str | None) -> Heatmap:
    """Choose among one estimator's maps of one instrument, given newest release first."""
    current = next((one for one in maps if one.release.version == version), None)
    # The first of equals is the newest release.
    farthest = max((one for one in maps if one is not current), key=_reach, default=current)
    assert farthest is not None
    return current if current is not None and _has_caught_up(current, farthest) else farthest


def _reach(heatmap: Heatmap) -> dt.datetime:
    return heatmap.built_through or dt.datetime.min.replace(tzinfo=dt.UTC)


def _has_caught_up(current: Heatmap, other: Heatmap) -> bool:
    """Whether nothing that the other one shows would be missed, neither columns nor zones."""
    if other.built_through is None:
        return True
    pairs = ((current.built_through, other.built_through), (current.zones_through, other.zones_through))
    return all(then is None or (now is not None and now >= then - _CATCHES_UP) for now, then in pairs)


def history_before(*, heatmap: Heatmap) -> dt.datetime | None:
    """Return from when there are bars and open interest that the map does not hold yet; None where there are none."""
    if heatmap.instrument.is_pair:  # it holds what its members' maps hold
        return None
    span = market.stored_span(instrument_id=heatmap.instrument_id)
    if span is None or heatmap.built_from is None or span[0] >= heatmap.built_from:
        return None
    until = heatmap.built_from - dt.timedelta(milliseconds=STEP_MS)
    samples = market.load_open_interest(instrument_id=heatmap.instrument_id, since=span[0], until=until)
    return moment(int(samples["time"][0])) if len(samples) else None


def release_name(*, heatmap: Heatmap) -> str:
    """Return the name under which a map's tiles are asked for: it changes when closed tiles are rewritten."""
    return f"{heatmap.release.slug}-{heatmap.release.version}-r{heatmap.revision}"


def map_size(*, heatmap: Heatmap) -> MapSize:
    """Count a map's stored tiles and their bytes."""
    size = Tile.objects.filter(heatmap=heatmap).aggregate(count=Count("row"), total=Sum(Length("body")))
    return MapSize(size["count"], size["total"] or 0)
