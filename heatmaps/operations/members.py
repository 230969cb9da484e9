"""The members' maps that a pair's map is summed from: how far they go, and whether anything in them has changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from heatmaps.core.estimators import load_built
from heatmaps.core.strips import Strip
from heatmaps.core.sums import Part, Reach
from heatmaps.core.tile import TILE
from heatmaps.queries import DEFAULT_ESTIMATOR, member_maps
from market.canonical import digest
from market.series import STEP_MS, epoch_ms, moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from heatmaps.models import Heatmap
    from market.models import Instrument
    from market.queries import Member

STRIP_MS: Final = TILE * STEP_MS
# A member whose map lies further behind the newest is gone on without, and said to be missing.
BEHIND_MS: Final = 2 * STEP_MS

# What a strip is made of, without reading it: a row changes with its etag.
_PRINTS: Final = """
SELECT col, heatmap_id, md5(string_agg("row" || ':' || etag, ',' ORDER BY "row")) FROM heatmaps_tile
WHERE heatmap_id = ANY(%s) AND level = 0 GROUP BY col, heatmap_id"""


@dataclass(frozen=True, slots=True)
class Source:
    """A member and the map of it that is summed."""

    member: Member
    heatmap: Heatmap

    @property
    def committed_ms(self) -> int:
        assert self.heatmap.built_through is not None
        return epoch_ms(self.heatmap.built_through)

    @property
    def drawn_ms(self) -> int:
        return max(self.committed_ms, epoch_ms(self.heatmap.provisional_through or moment(0)))

    @property
    def is_being_rebuilt(self) -> bool:
        """Whether its pointer went back and will come again by itself."""
        shown = self.heatmap.shown_through
        return self.member.instrument.is_fetched and shown is not None and epoch_ms(shown) > self.committed_ms

    def part(self, bodies: dict[int, bytes]) -> Part:
        instrument = self.member.instrument
        return Part(
            number=self.member.number,
            strip=Strip.read(bodies),
            code_floor_usd=self.heatmap.code_floor_usd,
            bin_bps=self.heatmap.bin_bps,
            contract_usd=instrument.contract_size if instrument.contract_type == "inverse" else None,
            committed_ms=self.committed_ms,
            drawn_ms=self.drawn_ms,
            is_over=not instrument.is_fetched,
        )


def reach_of(sources: Sequence[Source]) -> Reach:
    """How far the sum goes: as far as all go that are not behind."""
    newest = max(one.drawn_ms for one in sources)
    up = [one for one in sources if newest - one.drawn_ms <= BEHIND_MS]
    return Reach(min(one.committed_ms for one in up), min(one.drawn_ms for one in up))


def prints_of(sources: Sequence[Source]) -> dict[int, dict[int, str]]:
    """A digest of what is stored of each strip of each member's map."""
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_PRINTS, [[one.heatmap.pk for one in sources]])
        for col, heatmap_id, found_print in cursor.fetchall():
            found[col][heatmap_id] = found_print
    return dict(found)


def inputs_of(
    col: int,
    sources: Sequence[Source],
    reach: Reach,
    prints: Mapping[int, str],
    ranked: Mapping[dt.date, Sequence[int]],
) -> str:
    """SHA-256 of everything that a strip of the sum depends on."""
    start, end = col * STRIP_MS, (col + 1) * STRIP_MS
    members = [
        [
            one.member.number,
            prints.get(one.heatmap.pk, ""),
            min(one.committed_ms, end),
            min(one.drawn_ms, end),
            not one.member.instrument.is_fetched and one.committed_ms < end,
        ]
        for one in sources
    ]
    days = sorted({moment(ms).date() for ms in (start, end - 1)})
    ends = [min(reach.through_ms, end), min(reach.drawn_ms, end)]
    return digest([members, ends, [list(ranked.get(day, ())) for day in days]])


def sources_of(pair: Instrument) -> list[Source]:
    """The members that have a map on the pair's grid."""
    width = load_built(DEFAULT_ESTIMATOR).bin_bps
    return [
        Source(member, heatmap)
        for member, heatmap in member_maps(pair_id=pair.pk)
        if heatmap is not None and heatmap.built_through is not None and heatmap.bin_bps == width
    ]
