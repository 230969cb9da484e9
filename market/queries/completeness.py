"""How much of a span is there, and what is known about what is not. The judging itself is pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from django.conf import settings
from django.db.models import Max

from market.models import Coverage, Hole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from market.models import Instrument

Span: TypeAlias = tuple[dt.datetime, dt.datetime]

# Missing, and the ledger of holes says nothing about why: before the first row, or not asked for.
UNKNOWN: Final = "unknown"
WAITING: Final = Hole.State.WAITING.value
ABSENT: Final = Hole.State.ABSENT.value
LOST: Final = Hole.State.LOST.value

# Rows of these mark a moment, and each belongs to the step that it ends.
_SAMPLES: Final = frozenset({"open_interest", "funding", "depth", "account_ratio"})
# How long after the newest row the next one may be on its way, beyond the row's own length [s].
_GRACE: Final = {
    "bars": 15,
    "mark_bars": 315,
    "open_interest": 600,
    "funding": 3600,
    "liquidations": 120,
    "liquidation_totals": 900,
    "depth": 540,
    "account_ratio": 900,
}


class SeriesKey(NamedTuple):
    """Under which the ledger keeps a series; ``timeframe`` [s] is 0 for events."""

    instrument_id: int
    series: str
    timeframe: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch that is not there. state: waiting, absent, lost, or unknown."""

    start_at: dt.datetime
    end_at: dt.datetime
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Completeness:
    """Which share of a span is present [fraction], and what is missing, ascending."""

    share: float
    missing: tuple[Missing, ...]

    @property
    def is_lost(self) -> bool:
        """Tell whether a part of it will never come: what is counted over the span is a lower bound."""
        return any(one.state == LOST for one in self.missing)


def stale_after(*, series: str, timeframe: int, as_of: dt.datetime) -> dt.datetime:
    """Return when a series that is fetched should have had a newer row; ``timeframe`` [s] as in the ledger."""
    # What takes seconds of ours takes minutes of a market that is replayed faster.
    grace = _GRACE.get(series, 0) * max(1.0, settings.CLOCK_SPEED)
    return as_of + dt.timedelta(seconds=timeframe + grace)


def due_after(*, instrument: Instrument, key: SeriesKey, as_of: dt.datetime | None) -> dt.datetime | None:
    """Return when a series is stale; None where nothing came yet or nobody waits for more."""
    if as_of is None or not instrument.is_fetched:
        return None
    return stale_after(series=key.series, timeframe=key.timeframe, as_of=as_of)


def judge(*, span: Span, present: Iterable[Span], holes: Iterable[Missing]) -> Completeness:
    """Part a span into what is present and what is missing, with the state of each missing stretch.

    present and holes may overlap, lie in any order and reach beyond the span; what is present counts as such.
    Raises ValueError for a span that does not run forward.
    """
    since, until = span
    if since >= until:
        raise ValueError("a span runs forward")
    gaps = _between(since, until, present)
    known = sorted(holes, key=lambda hole: hole.start_at)
    missing = [piece for gap in gaps for piece in _explain(gap, known)]
    absent_s = sum((end - start).total_seconds() for start, end in gaps)
    return Completeness(1.0 - absent_s / (until - since).total_seconds(), tuple(missing))


def _between(since: dt.datetime, until: dt.datetime, present: Iterable[Span]) -> list[Span]:
    gaps: list[Span] = []
    at = since
    for start, end in sorted(present):
        if start > at and at < until:
            gaps.append((at, min(start, until)))
        at = max(at, end)
    return [*gaps, (at, until)] if at < until else gaps


def _explain(gap: Span, holes: Sequence[Missing]) -> list[Missing]:
    pieces: list[Missing] = []
    at, end = gap
    for hole in holes:
        left, right = max(hole.start_at, at), min(hole.end_at, end)
        if left >= right:
            continue
        if at < left:
            pieces.append(Missing(at, left, UNKNOWN))
        pieces.append(Missing(left, right, hole.state, hole.reason))
        at = right
    return [*pieces, Missing(at, end, UNKNOWN)] if at < end else pieces


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is stored and what is known to be missing of one series within a span."""

    present: tuple[Span, ...] = ()
    holes: tuple[Missing, ...] = ()


def count_pending(ledger: Ledger, *, as_of: dt.datetime | None, due: dt.datetime | None, now: dt.datetime) -> Ledger:
    """Count what is not due yet as present: the next row of a series that is current is not missing."""
    if as_of is None or due is None or not as_of < now <= due:
        return ledger
    return Ledger((*ledger.present, (as_of, now)), ledger.holes)


def load_ledgers(*, instrument_ids: Sequence[int], span: Span) -> Mapping[SeriesKey, Ledger]:
    """Return the ledger of every series of these instruments within a span, in two statements."""
    since, until = span
    present: defaultdict[SeriesKey, list[Span]] = defaultdict(list)
    holes: defaultdict[SeriesKey, list[Missing]] = defaultdict(list)
    key = ("instrument_id", "series", "timeframe")
    stretches = Coverage.objects.filter(instrument_id__in=instrument_ids, end_at__gte=since, start_at__lt=until)
    for *names, start, end in stretches.values_list(*key, "start_at", "end_at"):
        one = SeriesKey(*names)
        # A sample belongs to the step that it ends.
        begin = start - dt.timedelta(seconds=one.timeframe) if one.series in _SAMPLES else start
        present[one].append((begin, end))
    gaps = Hole.objects.filter(instrument_id__in=instrument_ids, end_at__gt=since, start_at__lt=until)
    for *names, start, end, state, reason in gaps.values_list(*key, "start_at", "end_at", "state", "reason"):
        holes[SeriesKey(*names)].append(Missing(start, end, state, reason))
    return {one: Ledger(tuple(present[one]), tuple(holes[one])) for one in {**present, **holes}}


def completeness(*, instrument: Instrument, series: str, span: Span, timeframe: int | None = None) -> Completeness:
    """Say how complete a series is within a span.

    timeframe [s]: of bars that are built from finer ones; any stored timeframe that divides it counts as present.
    """
    ledgers = load_ledgers(instrument_ids=[instrument.pk], span=span)
    return judge_series(ledgers=ledgers, series=series, span=span, timeframe=timeframe)


def judge_series(
    *, ledgers: Mapping[SeriesKey, Ledger], series: str, span: Span, timeframe: int | None = None
) -> Completeness:
    """Judge all timeframes of one instrument's series together."""
    chosen = [
        ledger
        for key, ledger in ledgers.items()
        if key.series == series and (timeframe is None or (key.timeframe > 0 and timeframe % key.timeframe == 0))
    ]
    present = [stretch for ledger in chosen for stretch in ledger.present]
    holes = [hole for ledger in chosen for hole in ledger.holes]
    return judge(span=span, present=present, holes=holes)


def newest(*, instrument_ids: Sequence[int]) -> dict[SeriesKey, dt.datetime]:
    """Return up to when each series of these instruments is stored."""
    rows = Coverage.objects.filter(instrument_id__in=instrument_ids)
    ends = rows.values_list("instrument_id", "series", "timeframe").annotate(end=Max("end_at"))
    return {SeriesKey(*names): end for *names, end in ends}
