"""Put an asset pair's series together from its members' stored rows: one's candles, the sum of all open interest."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import TruncDay

from market import queries
from market.models import Change, Coverage, PairDay
from market.series import BAR, DAY_MS, OPEN_INTEREST, STEP_MS, epoch_ms, moment

from .storing import lock, store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from market.models import Instrument
    from market.queries import Member
    from market.series import Records, Window

    from .ledger import Interval

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

# A member so far behind the others is down: the next one lends its candles meanwhile.
BEHIND_MS: Final = STEP_MS
# As long as a member that was heard of within this is missing, the sum is not known.
REMEMBERED_MS: Final = DAY_MS
# A sample up to this late still describes the end of the step before it: venues stamp some seconds after.
LATE_MS: Final = 30_000
_SUMMED: Final = ("bars", "open_interest")
# A job stays far below its limit: long histories take several, the newest days first.
DAYS_PER_JOB: Final = 60


@dataclass(frozen=True, slots=True)
class _Past:
    """What the ledger says of a member: where it has bars and open interest, and what changed behind its edge.

    changes: the day [ms] of the earliest row, and the newest such change.
    """

    member: Member
    bars: tuple[Interval, ...]
    interest: tuple[Interval, ...]
    changes: tuple[Interval, ...]

    @property
    def newest_ms(self) -> int:
        return max((end for _, end in self.bars), default=0)

    def said(self, since: int, until: int) -> str:
        """What the ledger says of a span, in one spelling."""
        parts = [
            [(max(start, since), min(end, until)) for start, end in stretches if start < until and end > since]
            for stretches in (self.bars, self.interest)
        ]
        is_over = not self.member.instrument.is_fetched and self.newest_ms < until
        last_change = max((number for day, number in self.changes if day < until), default=0)
        return f"{self.member.number}:{is_over}:{last_change}:{parts}"


def combine(*, pair: Instrument, now: dt.datetime) -> tuple[int, dt.datetime | None]:
    """Bring a pair up to date: the last day, and each day of which the ledger says something else than before.

    Each day has its own transaction; ``now`` bounds what is read. Returns how many bars were new, and the end of the
    newest. Safe to repeat and to run twice at once.
    """
    pasts = _pasts(queries.list_members(pair_id=pair.pk))
    new = sum(_combine_day(pair, day, pasts, now) for day in _days(pair, pasts, now)[:DAYS_PER_JOB])
    span = queries.stored_span(instrument_id=pair.pk)
    return new, span[1] if span else None


def _pasts(members: Sequence[Member]) -> list[_Past]:
    about = {"instrument__in": [one.instrument for one in members], "series__in": _SUMMED}
    changed: defaultdict[int, list[Interval]] = defaultdict(list)
    days = Change.objects.filter(**about).values_list("instrument_id", TruncDay("since", tzinfo=dt.UTC))
    for pk, day, newest in days.annotate(newest=Max("pk")).order_by("instrument_id"):
        changed[pk].append((epoch_ms(day), newest))
    found: defaultdict[tuple[int, str], list[Interval]] = defaultdict(list)
    for row in Coverage.objects.filter(**about).order_by("start_at", "timeframe"):
        found[row.instrument_id, row.series].append((epoch_ms(row.start_at), epoch_ms(row.end_at)))
    return [
        _Past(one, *(tuple(rows) for rows in (found[pk, "bars"], found[pk, "open_interest"], changed[pk])))
        for one, pk in ((one, one.instrument.pk) for one in members)
    ]


def _days(pair: Instrument, pasts: Sequence[_Past], now: dt.datetime) -> list[dt.date]:
    """Days to put together, the newest first."""
    starts = [past.bars[0][0] for past in pasts if past.bars]
    if not starts:
        return []
    last = min(epoch_ms(now), max(past.newest_ms for past in pasts)) - 1
    days = [moment(ms).date() for ms in range(min(starts) // DAY_MS * DAY_MS, last + 1, DAY_MS)]
    known = dict(PairDay.objects.filter(pair=pair).values_list("day", "inputs"))
    # The day that is still going on changes without a word from the ledger, and so may the one that has just ended.
    recent = moment(last - DAY_MS).date()
    return [day for day in reversed(days) if day >= recent or known.get(day) != _inputs(pasts, day)]


def _inputs(pasts: Sequence[_Past], day: dt.date) -> str:
    """The digest of what the ledger says of a day and of the one before, which it remembers."""
    since, until = _bounds(day)
    return hashlib.sha256("|".join(past.said(since - DAY_MS, until) for past in pasts).encode()).hexdigest()


def _bounds(day: dt.date) -> Interval:
    since = epoch_ms(dt.datetime.combine(day, dt.time(), dt.UTC))
    return since, since + DAY_MS


def _combine_day(pair: Instrument, day: dt.date, pasts: Sequence[_Past], now: dt.datetime) -> int:
    since, until = _bounds(day)
    until = min(until, epoch_ms(now))
    with transaction.atomic():
        lock(f"instrument:{pair.pk}")
        windows = {past.member.instrument.pk: _load(past, since, until) for past in pasts}
        samples = {pk: _on_steps(window) for pk, window in windows.items()}
        ranking = _ranking(pasts, samples, since)
        bars, bar_ms = choose_bars([windows[pk] for pk in ranking], _reach(pasts, ranking))
        new = 0
        for length in np.unique(bar_ms).tolist():
            rows = bars[bar_ms == length]
            stored = store(instrument_id=pair.pk, series="bars", rows=rows, timeframe=length // 1000, now=now)
            new += stored.new
        sums = sum_interest(
            [samples[past.member.instrument.pk] for past in pasts], [_last_ms(past) for past in pasts], (since, until)
        )
        store(instrument_id=pair.pk, series="open_interest", rows=sums, now=now)
        PairDay.objects.update_or_create(
            pair=pair, day=day, defaults={"ranking": ranking, "inputs": _inputs(pasts, day)}
        )
        return new


def _load(past: _Past, since: int, until: int) -> Window:
    """A member's bars of the day, and its open interest of the day and of what is remembered before it."""
    pk = past.member.instrument.pk
    day = queries.load_window(instrument_id=pk, since=moment(since), until=moment(until))
    samples = queries.load_open_interest(
        instrument_id=pk, since=moment(since - REMEMBERED_MS), until=moment(until + LATE_MS)
    )
    return replace(day, open_interest=samples)


def _on_steps(window: Window) -> Records:
    """The last sample of each five-minute step, at the step's end, with what it was worth [quote]."""
    rows = window.open_interest
    slot = -((LATE_MS - rows["time"]) // STEP_MS) * STEP_MS
    last = np.flatnonzero(np.diff(slot, append=np.iinfo(np.int64).max))
    found = rows[last].copy()
    found["time"] = slot[last]
    at_mark = found["open_interest"] * found["mark_price"]
    value = np.where(np.isfinite(found["open_interest_value"]), found["open_interest_value"], at_mark)
    at_close = found["open_interest"] * _closes(window, found["time"])
    found["open_interest_value"] = np.where(np.isfinite(value), value, at_close)
    return found


def _closes(window: Window, times: Ints) -> Floats:
    """The newest close up to each moment; NaN before the first bar of the window."""
    if len(window.bars) == 0:
        return np.full(len(times), np.nan)
    at = np.searchsorted(window.bars["open_time"] + window.bar_ms, times, side="right") - 1
    return np.where(at >= 0, window.bars["close"][np.maximum(at, 0)], np.nan)


def _ranking(pasts: Sequence[_Past], samples: Mapping[int, Records], since: int) -> list[int]:
    """Members by open interest as the day began, else by the first that is known of the day; the rest by number."""

    def size(past: _Past) -> float:
        rows = samples[past.member.instrument.pk]
        at = max(int(np.searchsorted(rows["time"], since, side="right")) - 1, 0)
        return float(rows["open_interest"][at]) if len(rows) else -1.0

    return [past.member.instrument.pk for past in sorted(pasts, key=lambda past: (-size(past), past.member.number))]


def _reach(pasts: Sequence[_Past], ranking: Sequence[int]) -> list[int | None]:
    """Until when each member has told all, in the order of the ranking; None of one that brings no more in time."""
    newest = {past.member.instrument.pk: past.newest_ms for past in pasts}
    latest = max(newest.values())
    live = {past.member.instrument.pk for past in pasts if past.member.instrument.is_fetched}
    return [newest[pk] if pk in live and latest - newest[pk] <= BEHIND_MS else None for pk in ranking]


def _last_ms(past: _Past) -> int | None:
    """The last sample of a member of which no more is to come; None of a live one."""
    return None if past.member.instrument.is_fetched else max((end for _, end in past.interest), default=0)


def choose_bars(windows: Sequence[Window], reach: Sequence[int | None]) -> tuple[Records, Ints]:
    """For each five-minute step the bars of the first member that has any; one that may yet bring them is waited for.

    windows, reach: in the order of the ranking; reach [ms]: until when a member has told all, None where waiting for
    it has no end. Returns BAR[n] ascending and int64[n] lengths [ms].
    """
    steps = [set(np.unique(window.bars["open_time"] // STEP_MS).tolist()) for window in windows]
    owner = {step: _owner(step, [step in own for own in steps], reach) for step in sorted(set().union(*steps))}
    parts = []
    for index, window in enumerate(windows):
        own = np.array([step for step, chosen in owner.items() if chosen == index], np.int64)
        taken = np.isin(window.bars["open_time"] // STEP_MS, own)
        parts.append((window.bars[taken], window.bar_ms[taken]))
    bars = np.concatenate([np.empty(0, BAR), *(rows for rows, _ in parts)])
    bar_ms = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in parts)])
    order = np.argsort(bars["open_time"], kind="stable")
    return bars[order], bar_ms[order]


def _owner(step: int, has_bars: Sequence[bool], reach: Sequence[int | None]) -> int | None:
    """Whose bars a step shows, by place in the ranking; None while one before it may bring its own."""
    for place, (has, told) in enumerate(zip(has_bars, reach, strict=True)):
        if has:
            return place
        if told is not None and step >= told // STEP_MS:
            return None
    return None


def sum_interest(samples: Sequence[Records], last_ms: Sequence[int | None], span: Interval) -> Records:
    """OPEN_INTEREST[n] of the sums at those steps in (since, until] at which no member is missing.

    samples: each member's, at steps' ends, from REMEMBERED_MS before the span on; last_ms: where a member ended, None
    of one that goes on. A member is missing where it was heard of within REMEMBERED_MS before and is not heard of now.
    """
    times = np.unique(np.concatenate([np.empty(0, np.int64), *(rows["time"] for rows in samples)]))
    times = times[(times > span[0]) & (times <= span[1])]
    sums = np.zeros(len(times), OPEN_INTEREST)
    sums["time"], sums["mark_price"] = times, np.nan
    is_known = np.ones(len(times), np.bool_)
    for rows, last in zip(samples, last_ms, strict=True):
        if len(rows) == 0:
            continue
        at = np.searchsorted(rows["time"], times, side="right") - 1
        held = rows[np.maximum(at, 0)]
        is_here = (at >= 0) & (held["time"] == times)
        is_over = np.zeros(len(times), np.bool_) if last is None else times > last + STEP_MS
        is_known &= is_here | (at < 0) | is_over | (times - held["time"] >= REMEMBERED_MS)
        for name in ("open_interest", "open_interest_value"):
            sums[name] += np.where(is_here, held[name], 0.0)
    return sums[is_known & (sums["open_interest"] > 0)]
