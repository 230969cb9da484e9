"""What is unusual about columns of the map, in words and as wider intervals: for chart, picture and pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from heatmaps import queries
from heatmaps.core.bands import Factors
from heatmaps.core.doubts import Doubt
from heatmaps.core.flags import Flag, names, short, words
from heatmaps.core.tile import COMMITTED, LEVELS, NO_DATA, PROVISIONAL
from heatmaps.pages import bands, figures

if TYPE_CHECKING:
    from heatmaps.models import Heatmap
    from heatmaps.queries import Conditions

_STEP_MS: Final = LEVELS[0].step_ms
_EXACT: Final = 0.02
_DRAWN: Final = (COMMITTED, PROVISIONAL)


@dataclass(frozen=True, slots=True)
class Spans:
    """Bars by the column in which each ends: span int64[bar], and for each span its words and doubt; None: no map."""

    number: np.ndarray[Any, np.dtype[np.int64]]
    words: list[list[str]]
    doubts: list[Doubt]


def for_client(
    *, heatmap: Heatmap | None, seconds: int, since: dt.datetime, until: dt.datetime, at: dt.datetime | None = None
) -> dict[str, Any] | None:
    """Return the spans (from, until] of bars whose columns have flags, no estimate, or wider intervals than usual.

    With ``at`` of those that had ended by then.
    """
    if heatmap is None or heatmap.built_through is None or heatmap.built_from is None:
        return None
    if "bands" not in heatmap.release.parameters:  # a map without intervals has none to widen
        return None
    ends = _ends(heatmap, seconds * 1000, (since, until), at)
    about = {"since_ms": figures.epoch_ms(since), "until_ms": figures.epoch_ms(until)}
    if len(ends) == 0:
        return {**about, "spans": []}
    spans = of_bars(heatmap=heatmap, end_ms=ends)
    factors, starts = Factors.of(heatmap.release.parameters), np.flatnonzero(np.diff(spans.number, prepend=-1))
    found = []
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(ends)], strict=True):
        number = int(spans.number[start])
        doubt, said = spans.doubts[number], spans.words[number]
        if said or doubt.is_any:
            span = {"from_ms": int(ends[start]) - seconds * 1000, "until_ms": int(ends[stop - 1]), "words": said}
            found.append({**span, **(bands.pairs(doubt.widen(factors)) if doubt.is_any else {})})
    return {**about, "spans": found}


def of_bars(*, heatmap: Heatmap, end_ms: np.ndarray[Any, np.dtype[np.int64]]) -> Spans:
    """Return what is told of the columns that end at some moments, ascending; equal ones share a number."""
    periods = end_ms // _STEP_MS - 1
    known = queries.conditions(heatmap=heatmap, first=int(periods[0]), stop=int(periods[-1]) + 1)
    places = periods - known.first
    spine = known.spine[places]
    is_drawn = np.isin(spine["status"], _DRAWN)
    # Where there is no column there is no interval to widen.
    doubts = [known.doubts[place] if drawn else Doubt() for place, drawn in zip(places.tolist(), is_drawn, strict=True)]
    seen: dict[tuple[object, ...], int] = {}
    number = np.empty(len(places), np.int64)
    said: list[list[str]] = []
    kept: list[Doubt] = []
    for index, doubt in enumerate(doubts):
        bits = int(spine["flags"][index]) if spine["status"][index] in {*_DRAWN, NO_DATA} else 0
        key = bits, int(spine["status"][index]), round(doubt.spread / _EXACT), round(doubt.stretch / _EXACT)
        if key not in seen:
            seen[key] = len(said)
            said.append(short(bits))
            kept.append(doubt)
        number[index] = seen[key]
    return Spans(number, said, kept)


def _ends(
    heatmap: Heatmap, step: int, span: tuple[dt.datetime, dt.datetime], at: dt.datetime | None
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Ends of the bars that begin in a span and have a column; the newest bar's is the newest column (by ``at``)."""
    newest = figures.epoch_ms(heatmap.drawn_through(at)) or 0
    first, last = ((figures.epoch_ms(one) or 0) for one in span)
    first = max(first, (figures.epoch_ms(heatmap.built_from) or 0) // step * step)
    ends = np.arange(first + step, min(last, newest) + 1, step, dtype=np.int64)
    is_open = first < newest < last and newest % step > 0
    return np.append(ends, newest) if is_open else ends


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the last day's steps bear a flag, or how many of its columns are missing for a reason."""

    flag: str
    text: str
    count: int
    total: int
    noun: str

    @property
    def count_text(self) -> str:
        """The count with its share."""
        return f"{self.count} of {self.total} {self.noun} ({100 * self.count / self.total:.0f}%)"


@dataclass(frozen=True, slots=True)
class Quality:
    """The newest day of a map in words: of its newest column, of the day's steps, and why intervals are wider."""

    now: tuple[str, ...]
    flags: tuple[str, ...]
    shares: tuple[Share, ...]
    wider: tuple[str, ...]
    doubt: Doubt


def quality(*, day: Conditions, age: Doubt) -> Quality:
    """Put the day that ends with a column, and how old that is, into words."""
    bits, last = int(day.spine["flags"][-1]), len(day.spine) - 1
    doubt = replace(day.doubts[last], age_hours=age.age_hours)
    return Quality(tuple(words(bits)), tuple(names(bits)), _shares(day), tuple(reasons(doubt)), doubt)


def _shares(known: Conditions) -> tuple[Share, ...]:
    status, flags = known.spine["status"], known.spine["flags"]
    is_step, is_gap = status == COMMITTED, status == NO_DATA
    found = []
    for flag in Flag:
        is_reason = flag >= Flag.NO_BARS
        count = int(((is_gap if is_reason else is_step) & ((flags & flag) != 0)).sum())
        total = int((is_step | is_gap).sum() if is_reason else is_step.sum())
        if count:
            text = words(int(flag))[0]
            noun = "columns" if is_reason else "steps"
            found.append(Share(names(int(flag))[0], f"{text[0].upper()}{text[1:]}", count, total, noun))
    return tuple(found)


def reasons(doubt: Doubt) -> list[str]:
    """Say what widens intervals, and by how much; empty where nothing does."""
    found = []
    if doubt.slots > 1.0 + _EXACT:
        found.append(f"open interest came every {5 * doubt.slots:.0f} minutes on average in the last day, not every 5")
    if doubt.last_price > _EXACT:
        found.append(f"{100 * doubt.last_price:.0f}% of the last day was swept by the last price")
    if doubt.whole < 1.0 - _EXACT:
        found.append(
            f"the map holds {100 * doubt.whole:.0f}% of the open interest that is known; the rest can only add to it"
        )
    if doubt.age_hours >= 1.0:
        found.append(f"the newest column is {figures.age(dt.timedelta(hours=doubt.age_hours))} old")
    return found
