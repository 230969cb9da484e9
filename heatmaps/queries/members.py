"""Asset pairs: the members' maps, who is in which column, and what each of them brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heatmaps.core.estimators import registered_version
from heatmaps.core.sums import unpack_record, unpack_shares
from heatmaps.models import Heatmap, SummedStrip
from market import queries as market

from .maps import DEFAULT_ESTIMATOR

if TYPE_CHECKING:
    import numpy as np

    from heatmaps.core.sums import Record, Shares
    from market.queries import Member


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
    col, place = divmod(period, 256)
    row = SummedStrip.objects.filter(heatmap=heatmap, col=col).values_list("record", "shares").first()
    if row is None:
        return None
    return unpack_record(bytes(row[0]))[place], unpack_shares(bytes(row[1]))[place]
