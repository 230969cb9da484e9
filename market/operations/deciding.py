"""A person decides about what was not believed: it is stored after all, or it is set aside for good."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import numpy as np
from django.db import transaction

from market.models import Quarantine
from market.queries.quarantine import find_quarantined
from market.queries.releasable import judge_rows, read_row

from .schema import TABLES
from .storing import Filing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from market.queries.quarantine import Choice
    from market.series import Records, SeriesName

# What one decision takes at most: it has to fit into the seconds that a page may wait.
DECIDED_MOST: Final = 1_000
BUILT_FROM: Final = frozenset({"bars", "open_interest"})

Decision: TypeAlias = Literal["released", "discarded"]


@dataclass(slots=True)
class Decided:
    """What became of a decision.

    refused: how many rows could not be stored, by reason; they stay held. changed: by the instrument's key, the
    earliest moment from which bars or open interest are no longer what maps were built from.
    """

    count: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    changed: dict[str, dt.datetime] = field(default_factory=dict)


def decide(*, choice: Choice, decision: Decision, by: str, now: dt.datetime) -> Decided:
    """Release or discard the held rows of a choice, oldest first and 1,000 at most, in one transaction.

    A second decision about the same rows finds none: what was decided stays. Rows that no table can hold stay held.
    """
    decided = Decided()
    with transaction.atomic():
        held = find_quarantined(choice=choice).filter(state=Quarantine.State.HELD)
        rows = list(held.select_related("instrument").select_for_update(of=("self",)).order_by("pk")[:DECIDED_MOST])
        done = rows if decision == "discarded" else _store(rows, decided, now)
        decided.count = Quarantine.objects.filter(pk__in=[row.pk for row in done]).update(
            state=decision, decided_by=by, decided_at=now
        )
    return decided


def _store(rows: Sequence[Quarantine], decided: Decided, now: dt.datetime) -> list[Quarantine]:
    """Store what can be stored, series by series in the order of instruments, which is that of their locks."""
    done: list[Quarantine] = []
    ordered = sorted(rows, key=_series_of)
    for _, group in groupby(ordered, key=_series_of):
        readable: list[tuple[Quarantine, Records]] = []
        for row in group:
            records, reason = read_row(row)
            if records is None:
                _refuse(decided, reason)
            else:
                readable.append((row, records))
        if readable:
            done += _file(readable, decided, now)
    return done


def _series_of(row: Quarantine) -> tuple[int, str, int]:
    return row.instrument_id or 0, row.series, row.timeframe


def _file(readable: Sequence[tuple[Quarantine, Records]], decided: Decided, now: dt.datetime) -> list[Quarantine]:
    first = readable[0][0]
    assert first.instrument is not None
    records = np.concatenate([one for _, one in readable])
    kept, rejected = judge_rows(first, records, now)
    for _, reason in rejected:
        _refuse(decided, reason)
    timeframe = first.timeframe if TABLES[cast("SeriesName", first.series)].has_timeframe else 0
    filing = Filing(instrument_id=first.instrument.pk, series=cast("SeriesName", first.series), timeframe=timeframe)
    filing.open()
    filing.add(records[kept])
    filing.close()
    if filing.changed_from and first.series in BUILT_FROM:
        key = first.instrument.key
        decided.changed[key] = min(filing.changed_from, decided.changed.get(key, filing.changed_from))
    refused = {index for index, _ in rejected}
    # An equal row that was held twice is stored with its first.
    return [row for index, (row, _) in enumerate(readable) if index not in refused]


def _refuse(decided: Decided, reason: str) -> None:
    decided.refused[reason] = decided.refused.get(reason, 0) + 1
