"""The quarantine page: what is held, by reason and row by row, and what a decision would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from market.models import Quarantine
from market.pages import words
from market.queries.quarantine import find_quarantined, held_groups
from market.queries.releasable import why_not
from market.series import DTYPES, moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from market.queries.quarantine import Choice, HeldGroup

PER_PAGE: Final = 50
GROUPS_MOST: Final = 12
SHOWN_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What is held of one instrument, series and reason; ``query`` chooses it."""

    instrument: str
    series: str
    reason: str
    count: int
    query: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One row as it came."""

    row: Quarantine
    instrument: str
    series: str
    time_text: str
    came_text: str
    why_not: str
    values: tuple[tuple[str, str], ...]

    @property
    def is_held(self) -> bool:
        """Tell whether nobody has decided yet."""
        return self.row.state == Quarantine.State.HELD


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """Groups of what is held, and rows, the newest first; ``before`` is the next page's."""

    groups: tuple[GroupRow, ...]
    has_more_groups: bool
    rows: tuple[HeldRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a decision would take: how many are held, the first of them, and up to which row they were counted."""

    count: int
    through_id: int | None
    rows: tuple[HeldRow, ...]
    releasable_count: int
    query: str

    @property
    def is_whole(self) -> bool:
        """Tell whether all rows are shown and each of them can be stored."""
        return self.releasable_count == self.count


def load(*, choice: Choice, before: int | None, now: dt.datetime) -> QuarantinePage:
    """Read a page of rows."""
    found = find_quarantined(choice=choice).select_related("instrument")
    rows = list((found.filter(pk__lt=before) if before is not None else found)[: PER_PAGE + 1])
    groups = held_groups(most=GROUPS_MOST + 1)
    return QuarantinePage(
        groups=tuple(_group(group) for group in groups[:GROUPS_MOST]),
        has_more_groups=len(groups) > GROUPS_MOST,
        rows=tuple(_row(row, now) for row in rows[:PER_PAGE]),
        before=rows[PER_PAGE - 1].pk if len(rows) > PER_PAGE else None,
    )


def confirm(*, choice: Choice, query: str, now: dt.datetime) -> Confirmation:
    """Count what is held of a choice, and show the oldest of it."""
    held = find_quarantined(choice=choice).filter(state=Quarantine.State.HELD).select_related("instrument")
    first = tuple(_row(row, now) for row in held.order_by("pk")[:SHOWN_MOST])
    return Confirmation(
        count=held.count(),
        through_id=held.values_list("pk", flat=True).first(),
        rows=first,
        releasable_count=sum(not row.why_not for row in first),
        query=query,
    )


def _group(group: HeldGroup) -> GroupRow:
    names = {"instrument": f"{group.venue}:{group.symbol}" if group.venue else "", "series": group.series}
    return GroupRow(
        instrument=names["instrument"] or words.DASH,
        series=words.series(group.series),
        reason=group.reason,
        count=group.count,
        query=urlencode({name: text for name, text in names.items() if text} | {"reason": group.reason}),
    )


def _row(row: Quarantine, now: dt.datetime) -> HeldRow:
    fields = row.row or {}
    time = fields.get("open_time", fields.get("time"))
    return HeldRow(
        row=row,
        instrument=row.instrument.key if row.instrument else words.DASH,
        series=words.series(row.series, row.timeframe),
        time_text=words.moment(_moment(time)),
        came_text=words.moment(row.created_at),
        why_not=why_not(row=row, now=now),
        values=tuple(_values(row.series, fields)) if row.row else (),
    )


def _moment(ms: object) -> dt.datetime | None:
    try:
        return moment(int(str(ms)))
    except (ValueError, OverflowError):
        return None


def _values(series: str, fields: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """List the values in the series' own order; the database keeps none."""
    names = (DTYPES[series].names or ())[1:] if series in DTYPES else ()
    for name in names:
        value = fields.get(name)
        yield name.replace("_", " "), words.DASH if value is None else f"{value}"
