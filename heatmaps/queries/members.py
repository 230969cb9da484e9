"""Asset pairs: the members' maps, who is in which column, and what each of them brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from heatmaps.core.estimators import registered_version
from heatmaps.core.sums import REMEMBERED, STEP_MS, numbers_of, unpack_record, unpack_shares
from heatmaps.core.tile import TILE
from heatmaps.models import Heatmap, SummedStrip
from market import queries as market
from market.series import epoch_ms, moment

from .maps import DEFAULT_ESTIMATOR

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from heatmaps.core.sums import Record, Shares
    from market.models import Instrument
    from market.queries import Freshness, KnownInterest, Member


class MemberMap(NamedTuple):
    """A member of a pair, and its map of the registered version where it has one."""

    member: Member
    heatmap: Heatmap | None


def member_maps(*, pair_id: int, estimator: str = DEFAULT_ESTIMATOR) -> list[MemberMap]:
    """List a pair's members by number with the maps that are summed."""
    members = market.list_members(pair_id=pair_id)
    maps = Heatmap.objects.filter(
        instrument__in=[one.instrument for one in members],
        release__slug=estimator,
        release__version=registered_version(estimator),
    )
    found = {heatmap.instrument_id: heatmap for heatmap in maps}
    return [MemberMap(one, found.get(one.instrument.pk)) for one in members]


def read_records(*, heatmap: Heatmap, cols: range) -> dict[int, Record]:
    """Return who is in the columns of each strip of a pair's map, by strip; nothing of other maps."""
    rows = SummedStrip.objects.filter(heatmap=heatmap, col__gte=cols.start, col__lt=cols.stop)
    return {col: unpack_record(bytes(body)) for col, body in rows.values_list("col", "record")}


def read_column(*, heatmap: Heatmap, period: int) -> tuple[np.void, Shares] | None:
    """Return who is in one column of a pair's map, and SHARE[member]; None of other maps and where there is none."""
    col, place = divmod(period, TILE)
    row = SummedStrip.objects.filter(heatmap=heatmap, col=col).values_list("record", "shares").first()
    if row is None:
        return None
    return unpack_record(bytes(row[0]))[place], unpack_shares(bytes(row[1]))[place]


@dataclass(frozen=True, slots=True)
class MemberShare:
    """What one member brings to a column of a pair's map. None: nobody knows.

    longs_usd, shorts_usd: the heat within 10 % of the price on each side; share_pct: its part of all members' heat
    there; open_interest_usd: of the column, else the last known, from ``open_interest_at``; missing_since: the end of
    the last column that it was in, of one that ought to be in this one.
    """

    instrument: Instrument
    freshness: Freshness
    built_through: dt.datetime | None
    is_in: bool
    longs_usd: float | None = None
    shorts_usd: float | None = None
    share_pct: float | None = None
    open_interest_usd: float | None = None
    open_interest_at: dt.datetime | None = None
    missing_since: dt.datetime | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it ought to be in and is not; one that is no longer fetched is missed by nobody."""
        return not self.is_in and self.instrument.is_fetched


@dataclass(frozen=True, slots=True)
class MemberShares:
    """A column of a pair's map by member.

    coverage_pct: open interest of the members that are in it, of what is known of all that are in or missing.
    leader: whose prices the column has; ranks_first: whether that is the largest as the day began, and no stand-in.
    """

    at: dt.datetime
    members: tuple[MemberShare, ...]
    coverage_pct: float | None
    leader: Instrument | None
    ranks_first: bool

    @property
    def missing(self) -> list[MemberShare]:
        """Who ought to be in and is not."""
        return [one for one in self.members if one.is_missing]


def member_shares(*, heatmap: Heatmap, now: dt.datetime, at: dt.datetime | None = None) -> MemberShares | None:
    """Return what each member brings to a pair's newest column, or to the last one by ``at``; None without a map."""
    newest = heatmap.drawn_through(at)
    if newest is None:
        return None
    period = epoch_ms(newest) // STEP_MS - 1
    maps = member_maps(pair_id=heatmap.instrument_id)
    found = read_column(heatmap=heatmap, period=period)
    if found is None:
        return None
    instruments = [one.member.instrument for one in maps]
    end = moment((period + 1) * STEP_MS)
    column = _Column(
        *found,
        end,
        known=market.newest_interest(instrument_ids=[one.pk for one in instruments], at=end),
        fresh=market.freshness_of_all(instruments=instruments, now=now),
        seen=_seen(heatmap, period),
    )
    members = tuple(column.share(one) for one in maps)
    ranking = market.rankings(pair_id=heatmap.instrument_id, since=_day(period), until=_day(period)).get(_day(period))
    leader = _leader(members, ranking or [])
    ranks_first = leader is not None and [leader.pk] == (ranking or [])[:1]
    return MemberShares(end, members, _coverage(members), leader, ranks_first)


def _day(period: int) -> dt.date:
    return moment(period * STEP_MS).date()


def _seen(heatmap: Heatmap, period: int) -> dict[int, dt.datetime]:
    """Return when each member was in the map last before a column, as far as a member is expected back."""
    cols = range(period // TILE - REMEMBERED, period // TILE + 1)
    seen: dict[int, dt.datetime] = {}
    for col, record in sorted(read_records(heatmap=heatmap, cols=cols).items()):
        places = np.flatnonzero(col * TILE + np.arange(TILE) <= period)
        present = record["present"][places]
        for number in numbers_of(int(np.bitwise_or.reduce(present, initial=0))):
            last = places[np.flatnonzero(present >> np.uint64(number) & np.uint64(1))[-1]]
            seen[number] = moment((col * TILE + int(last) + 1) * STEP_MS)
    return seen


@dataclass(frozen=True, slots=True)
class _Column:
    """What is known of a column, each from a question of its own, and what it says of a member."""

    record: np.void
    shares: Shares
    end: dt.datetime
    known: Mapping[int, KnownInterest]
    fresh: Mapping[int, Freshness]
    seen: Mapping[int, dt.datetime]

    def share(self, one: MemberMap) -> MemberShare:
        number, instrument = one.member.number, one.member.instrument
        built = one.heatmap.built_through if one.heatmap else None
        about = instrument, self.fresh[instrument.pk], built
        if number not in numbers_of(int(self.record["present"])):
            ended = built if built is not None and built <= self.end else None
            last, since = self.known.get(instrument.pk), self.seen.get(number) or ended
            usd, sampled_at = (last.usd, last.at) if last else (None, None)
            return MemberShare(*about, False, None, None, None, usd, sampled_at, since)
        longs, shorts, worth = (float(self.shares[name][number]) for name in ("longs", "shorts", "open_interest"))
        whole = float(np.nansum(self.shares["longs"].astype(np.float64) + self.shares["shorts"]))
        share = 100.0 * (longs + shorts) / whole if whole > 0 else None
        return MemberShare(*about, True, longs, shorts, share, worth, self.end)


def _coverage(members: Sequence[MemberShare]) -> float | None:
    counted = [one for one in members if one.is_in or one.is_missing]
    whole = sum(one.open_interest_usd or 0.0 for one in counted)
    return 100.0 * sum(one.open_interest_usd or 0.0 for one in counted if one.is_in) / whole if whole > 0 else None


def _leader(members: Sequence[MemberShare], ranking: Sequence[int]) -> Instrument | None:
    rank = {pk: place for place, pk in enumerate(ranking)}
    inside = [one.instrument for one in members if one.is_in]
    return min(inside, key=lambda one: rank.get(one.pk, len(rank)), default=None)
