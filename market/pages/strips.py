"""A picture of what is stored of a series: a strip of cells, in each of which the worst news wins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from market.pages import words
from market.queries.completeness import ABSENT, LOST, UNKNOWN, WAITING

if TYPE_CHECKING:
    from market.queries.completeness import Completeness, Span

CELLS: Final = 240
PRESENT: Final = "present"
# The later one wins a cell that holds both, so that a minute's loss can be seen in a month.
_ORDER: Final = (PRESENT, UNKNOWN, ABSENT, WAITING, LOST)
NAMES: Final = {
    PRESENT: "present",
    UNKNOWN: "not asked for",
    ABSENT: "absent at the source",
    WAITING: "waiting to be fetched",
    LOST: "lost for good",
}
# Stretches that are told in words; the rest is counted.
TOLD_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring cells of one state. x, width: per cent of the strip."""

    state: str
    x: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """What is drawn, and the same in words."""

    runs: tuple[Run, ...]
    label: str
    share_text: str
    told: tuple[str, ...]
    omitted: int


def draw(*, judged: Completeness, span: Span) -> Strip:
    """Draw a span of which it is known what is missing."""
    since, until = span
    whole = (until - since).total_seconds()
    ranks = [0] * CELLS
    for one in judged.missing:
        first = int((one.start_at - since).total_seconds() / whole * CELLS)
        last = -int(-((one.end_at - since).total_seconds() / whole * CELLS) // 1)
        rank = _ORDER.index(one.state)
        for cell in range(first, min(max(last, first + 1), CELLS)):
            ranks[cell] = max(ranks[cell], rank)
    told = [one for one in judged.missing if one.state != UNKNOWN]
    return Strip(
        runs=tuple(_runs(ranks, span)),
        label=_label(judged),
        share_text=words.percent(judged.share),
        told=tuple(
            f"{words.span(one.start_at, one.end_at)}: {NAMES[one.state]}{', ' + one.reason if one.reason else ''}"
            for one in reversed(told[-TOLD_MOST:])
        ),
        omitted=max(0, len(told) - TOLD_MOST),
    )


def _runs(ranks: list[int], span: Span) -> list[Run]:
    step = (span[1] - span[0]) / CELLS
    runs, at = [], 0
    for rank, cells in groupby(ranks):
        count = sum(1 for _ in cells)
        when = words.span(span[0] + at * step, span[0] + (at + count) * step)
        state = _ORDER[rank]
        runs.append(Run(state, f"{at / CELLS:.4%}", f"{count / CELLS:.4%}", f"{when}: {NAMES[state]}"))
        at += count
    return runs


def _label(judged: Completeness) -> str:
    """Sum a strip up in one sentence, for those who don't see it."""
    lengths = dict.fromkeys(_ORDER[1:], 0.0)
    for one in judged.missing:
        lengths[one.state] += (one.end_at - one.start_at).total_seconds()
    parts = [
        f"{words.age(dt.timedelta(seconds=seconds))} {NAMES[state]}"
        for state, seconds in lengths.items()
        if seconds >= 1
    ]
    return "; ".join([f"{words.percent(judged.share)} present", *parts])
