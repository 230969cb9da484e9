"""Stated chances against what came: counts added up over runs, drawn, and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.core.score import wilson
from heatmaps.core.score.chances import BINS
from heatmaps.pages import figures, touches

from .reading import FEW, interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .reading import Run

# The diagram's box and the square in it [SVG units].
_LEFT: Final = 44.0
_RIGHT: Final = 508.0
_TOP: Final = 14.0
_BOTTOM: Final = 252.0
_FOOT: Final = 312.0
_TALLEST: Final = 30.0


@dataclass(frozen=True, slots=True)
class Tenth:
    """Chances between two tenths, in words and as marks [SVG units]."""

    label: str
    count: int
    stated_text: str
    observed_text: str
    x: str
    y: str
    low_y: str
    high_y: str
    radius: str
    bar_x: str
    bar_y: str
    bar_height: str

    @property
    def count_text(self) -> str:
        """Write how many there are."""
        return f"{self.count:,}"

    @property
    def is_small(self) -> bool:
        """Tell whether there are too few to read much into."""
        return self.count < FEW


@dataclass(frozen=True, slots=True)
class Diagram:
    """One horizon."""

    horizon: str
    count: int
    tenths: tuple[Tenth, ...]
    off_text: str

    @property
    def count_text(self) -> str:
        """Write how many there are."""
        return f"{self.count:,}"

    @property
    def has_small(self) -> bool:
        """Tell whether some marks are drawn small."""
        return any(one.is_small for one in self.tenths)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid."""

    text: str
    x: str
    y: str


TICKS: Final = tuple(
    Tick(
        f"{share}%", f"{_LEFT + (_RIGHT - _LEFT) * share / 100:.1f}", f"{_BOTTOM - (_BOTTOM - _TOP) * share / 100:.1f}"
    )
    for share in range(0, 101, 20)
)


def diagrams(runs: Sequence[Run]) -> list[Diagram]:
    """Add up the counts of all runs, horizon by horizon."""
    found = [_diagram(runs, name, word) for name, word in touches.WORDS.items()]
    return [one for one in found if one.count]


def _diagram(runs: Sequence[Run], name: str, word: str) -> Diagram:
    sums = [_sum(runs, name, index) for index in range(BINS)]
    most = max((count for count, _, _ in sums), default=0)
    total = sum(count for count, _, _ in sums)
    tenths = tuple(_tenth(index, *one, most) for index, one in enumerate(sums) if one[0])
    off = sum(abs(stated - hits) for _, stated, hits in sums) / total if total else 0.0
    return Diagram(word, total, tenths, f"{off:.3f}")


def _sum(runs: Sequence[Run], name: str, index: int) -> tuple[int, float, float]:
    """(count, sum of what was stated, how many came)."""
    count, stated, hits = 0, 0.0, 0.0
    for run in runs:
        said = run.one(measure=f"stated {index}", mode=name)
        came = run.one(measure=f"observed {index}", mode=name)
        if said is None or came is None or said.value is None or came.value is None:
            continue
        count, stated, hits = count + said.n, stated + said.n * said.value, hits + came.n * came.value
    return count, stated, hits


def _tenth(index: int, count: int, stated: float, hits: float, most: int) -> Tenth:
    seen = wilson(hits, count)
    x = _LEFT + (_RIGHT - _LEFT) * stated / count
    height = _TALLEST * count / most
    middle = _LEFT + (_RIGHT - _LEFT) * (index + 0.5) / BINS
    return Tenth(
        label=f"{index * 10}{figures.EN_DASH}{index * 10 + 10}%",
        count=count,
        stated_text=f"{100 * stated / count:.1f}%",
        observed_text=f"{100 * seen.value:.1f}% {interval(100 * seen.low, 100 * seen.high, 1, is_signed=False)}",
        x=f"{x:.1f}",
        y=_up(seen.value),
        low_y=_up(seen.low),
        high_y=_up(seen.high),
        radius="2.4" if count < FEW else "3.4",
        bar_x=f"{middle - 12:.1f}",
        bar_y=f"{_FOOT - height:.1f}",
        bar_height=f"{height:.1f}",
    )


def _up(share: float) -> str:
    return f"{_BOTTOM - (_BOTTOM - _TOP) * share:.1f}"
