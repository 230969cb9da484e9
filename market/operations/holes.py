"""Holes in a series: each stretch that the ledger lacks has a state, so that nothing is missing without a word.

A hole waits until its rows come. When the venue has been asked three times and has nothing there, it is absent at the
source. What can never be asked for again, as a websocket's liquidations or the value of a passed moment, is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import connection

from market.models import Hole
from market.series import epoch_ms, moment

from . import ledger
from .schema import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .ledger import Interval

CONFIRMED: Final = 3
# After an empty answer the venue is asked again so much later [minutes], by the number of tries.
_AGAIN_MINUTES: Final = (1, 5, 25)
WAITING, ABSENT, LOST = Hole.State.WAITING, Hole.State.ABSENT, Hole.State.LOST


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole [ms] and what is known of it."""

    start: int
    end: int
    state: str = WAITING
    reason: str = ""
    tries: int = 0
    due: int = 0


def gaps_between(stored: Sequence[Interval], until_ms: int | None, *, apart_ms: int = 1) -> list[Interval]:
    """Return what lies between stored stretches, which ascend, and after the last one up to ``until_ms``.

    apart_ms: what is shorter than this after the last one can't lack a row yet.
    """
    gaps = [(left[1], right[0]) for left, right in pairwise(stored) if left[1] < right[0]]
    if stored and until_ms is not None and stored[-1][1] + apart_ms <= until_ms:
        gaps.append((stored[-1][1], until_ms))
    return gaps


def reconcile(gaps: Iterable[Interval], known: Sequence[Gap], *, state: str, reason: str = "") -> list[Gap]:
    """Cut what is known down to the gaps that are left; what was not known before gets ``state`` and ``reason``."""
    result: list[Gap] = []
    for start, end in gaps:
        at = start
        for one in known:
            left, right = max(one.start, at), min(one.end, end)
            if left >= right:
                continue
            if at < left:
                result.append(Gap(at, left, state, reason))
            result.append(replace(one, start=left, end=right))
            at = right
        if at < end:
            result.append(Gap(at, end, state, reason))
    return _join(result)


def _join(gaps: Iterable[Gap]) -> list[Gap]:
    """Make one of neighbours of which the same is known."""
    joined: list[Gap] = []
    for gap in gaps:
        if (
            joined
            and joined[-1].end == gap.start
            and replace(joined[-1], end=gap.end) == replace(gap, start=joined[-1].start)
        ):
            joined[-1] = replace(joined[-1], end=gap.end)
        else:
            joined.append(gap)
    return joined


def answer(gaps: Iterable[Gap], covered: Interval, now_ms: int) -> list[Gap]:
    """Count an answer that left gaps empty; the third makes them absent. ``covered`` is what was answered."""
    result: list[Gap] = []
    for gap in gaps:
        left, right = max(gap.start, covered[0]), min(gap.end, covered[1])
        if gap.state != WAITING or left >= right:
            result.append(gap)
            continue
        tries = gap.tries + 1
        asked = replace(
            gap, start=left, end=right, tries=tries, due=now_ms + _AGAIN_MINUTES[min(tries, CONFIRMED) - 1] * 60_000
        )
        if tries >= CONFIRMED:
            asked = replace(asked, state=ABSENT, reason=f"asked {tries} times, the venue has nothing there")
        pieces = (replace(gap, end=left), asked, replace(gap, start=right))
        result += [piece for piece in pieces if piece.start < piece.end]
    return result


def refresh(  # noqa: PLR0913 what is known of a series' holes
    *,
    key: SeriesKey,
    until_ms: int | None = None,
    state: str = WAITING,
    reason: str = "",
    covered: Interval | None = None,
    now_ms: int = 0,
    apart_ms: int = 1,
    stored: Sequence[Interval] | None = None,
) -> None:
    """Bring a series' holes in line with its ledger. The caller holds the instrument's lock.

    until_ms: where the series ought to reach by now, None where nobody can say. state, reason: what a new hole is.
    covered [ms]: what the venue has just answered at ``now_ms``, so that what is missing inside counts as asked.
    apart_ms: how far apart rows lie. stored [ms]: what the ledger holds, where the caller has just read it.
    """
    stored = ledger.stretches(key) if stored is None else stored
    before = _holes(_OF_SERIES, key).get(key, [])
    gaps = reconcile(gaps_between(stored, until_ms, apart_ms=apart_ms), before, state=state, reason=reason)
    after = answer(gaps, covered, now_ms) if covered else gaps
    if after == before:
        return
    Hole.objects.filter(**key.fields).delete()
    Hole.objects.bulk_create(
        Hole(
            **key.fields,
            start_at=moment(gap.start),
            end_at=moment(gap.end),
            state=gap.state,
            reason=gap.reason,
            tries=gap.tries,
            due_at=moment(gap.due),
        )
        for gap in after
    )


class Standing(NamedTuple):
    """How a series stands: what the ledger holds [ms] and what is known of its holes, both ascending."""

    stored: Sequence[Interval] = ()
    known: Sequence[Gap] = ()

    def wanted(self, *, since_ms: int, until_ms: int, now_ms: int) -> list[Interval]:
        """List what to ask for [ms], oldest first: all of [since, until) that is neither stored nor known to be gone.

        Where something is stored already, ``since_ms`` gives way to its beginning: older history is back-fill's.
        """
        gaps = gaps_between(self.stored, until_ms) if self.stored else [(since_ms, until_ms)]
        open_gaps = reconcile(gaps, self.known, state=WAITING)
        return [(gap.start, gap.end) for gap in open_gaps if gap.state == WAITING and gap.due <= now_ms]


def standings(instrument_id: int) -> dict[SeriesKey, Standing]:
    """Return how all series of an instrument stand that anything is known of, in two questions."""
    stored: dict[SeriesKey, list[Interval]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER, [instrument_id])
        for series, timeframe, start_at, end_at in cursor.fetchall():
            key = SeriesKey(instrument_id, series, timeframe)
            stored.setdefault(key, []).append((epoch_ms(start_at), epoch_ms(end_at)))
    known = _holes(_OF_INSTRUMENT, [instrument_id])
    return {key: Standing(stored.get(key, ()), known.get(key, ())) for key in {*stored, *known}}


def standing(key: SeriesKey) -> Standing:
    """Return how a series stands."""
    return Standing(ledger.stretches(key), _holes(_OF_SERIES, key).get(key, ()))


_LEDGER: Final = """SELECT series, timeframe, start_at, end_at FROM market_coverage
    WHERE instrument_id = %s ORDER BY start_at"""
_HOLES: Final = """SELECT instrument_id, series, timeframe, start_at, end_at, state, reason, tries, due_at
    FROM market_hole WHERE {} ORDER BY start_at"""
_OF_INSTRUMENT: Final = _HOLES.format("instrument_id = %s")
_OF_SERIES: Final = _HOLES.format("instrument_id = %s AND series = %s AND timeframe = %s")


def _holes(statement: str, params: Sequence[str | int]) -> dict[SeriesKey, list[Gap]]:
    found: dict[SeriesKey, list[Gap]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        for pk, series, timeframe, start_at, end_at, state, reason, tries, due_at in cursor.fetchall():
            gap = Gap(epoch_ms(start_at), epoch_ms(end_at), state, reason, tries, epoch_ms(due_at))
            found.setdefault(SeriesKey(pk, series, timeframe), []).append(gap)
    return found
