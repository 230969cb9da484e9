"""What was not believed: kept as it came, until a person decides."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.models import Quarantine
from market.series import by_field
from market.sources.files import show_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from market.models import Instrument
    from market.series import Fields, Records
    from market.sources.base import Fault

_REASON_LETTERS, _RAW_LETTERS, _ORIGIN_LETTERS = 200, 1000, 255


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that is not believed: what came, why, its line if any, and the row where it can be read as one."""

    raw: str
    reason: str
    line: int = 0
    row: Fields | None = None


def doubts_of(*, rows: Records, rejected: Sequence[tuple[int, str]], faults: Sequence[Fault] = ()) -> list[Doubt]:
    """List what is wrong with what a venue said: rows that can't be true (as ``validate`` says) and faults."""
    doubts = [Doubt(repr(rows[index].item()), reason, index, by_field(rows[index])) for index, reason in rejected]
    return doubts + [Doubt(fault.raw, fault.reason) for fault in faults]


def hold(
    *, instrument: Instrument | None, series: str, origin: str, doubts: Iterable[Doubt], timeframe: int = 0
) -> None:
    """Put doubts into quarantine; what is there already stays as it is, with what was decided about it."""
    rows = [
        Quarantine(
            instrument=instrument,
            series=series,
            timeframe=timeframe,
            origin=show_text(origin)[-_ORIGIN_LETTERS:],
            line=doubt.line,
            reason=doubt.reason[:_REASON_LETTERS],
            raw=show_text(doubt.raw[:_RAW_LETTERS])[:_RAW_LETTERS],
            row=doubt.row,
            digest=hashlib.sha256(doubt.raw.encode("utf-8", "backslashreplace")).hexdigest(),
        )
        for doubt in doubts
    ]
    if instrument is None:
        # To the table's constraint no two of these are the same.
        known = set(
            Quarantine.objects.filter(
                instrument=None, series=series, digest__in=[row.digest for row in rows]
            ).values_list("origin", "digest")
        )
        rows = list({row.digest: row for row in rows if (row.origin, row.digest) not in known}.values())
    Quarantine.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
