"""The parts of an answer, the same for every calculator, page and API alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from risk.pages.words import number

if TYPE_CHECKING:
    from collections.abc import Sequence

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """One result: ``value`` exact for programs (None: there is none), ``text`` with its unit for people."""

    name: str
    label: str
    value: Decimal | None
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the working: the formula, and the same with its numbers."""

    formula: str
    worked: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A price on the ladder; x, y in the picture's units, label and text beside it."""

    kind: str
    label: str
    text: str
    y: float
    text_y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a distribution; x, y, width and height in the picture's units."""

    label: str
    text: str
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a calculator answers. The first figure is the headline."""

    figures: list[Figure]
    steps: list[Step]
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    ladder: list[Mark] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    bars_title: str = ""

    @property
    def height(self) -> int:
        """Height of the picture of bars."""
        return 26 * len(self.bars) + 4


_TOP, _BOTTOM, _APART = 14.0, 206.0, 17.0


def draw_ladder(prices: Sequence[tuple[str, str, Decimal | None]]) -> list[Mark]:
    """Place prices (kind, label, price) on a ladder of 220 units, labels kept apart; missing ones are left out."""
    known = sorted(((kind, label, price) for kind, label, price in prices if price is not None), key=lambda p: -p[2])
    if len(known) <= 1:
        return []
    high, low = known[0][2], known[-1][2]
    span = float(high - low) or 1.0
    marks, floor = [], _TOP - _APART
    for kind, label, price in known:
        y = _TOP + float(high - price) / span * (_BOTTOM - _TOP)
        floor = max(y, floor + _APART)
        marks.append(Mark(kind, label, number(price), round(y, 1), round(floor, 1)))
    return marks


def draw_bars(rows: list[tuple[str, str, float]]) -> list[Bar]:
    """Place labelled bars (label, text, share of the widest) below each other."""
    widest = max((size for _, _, size in rows), default=0.0) or 1.0
    return [
        Bar(label, text, 26.0 * i + 4, round(260 * max(0.0, size) / widest, 1))
        for i, (label, text, size) in enumerate(rows)
    ]
