"""Score runs as the scorecard reads them: figures by name, and how a number with its interval is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.pages import figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heatmaps.models import ScoreRun

TOUCHES: Final = "touches"
STATED: Final = "stated"
TOTALS: Final = "hourly-totals"
PRINTS: Final = "liquidations"
SIMULATOR: Final = "simulator"
# Fewer are drawn small and labelled.
FEW: Final = 20


@dataclass(frozen=True, slots=True)
class Value:
    """One figure of a run."""

    measure: str
    map: str
    side: str
    mode: str
    versus: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    days: int

    @property
    def is_above(self) -> bool:
        """Tell whether the whole interval lies above zero."""
        return self.low is not None and self.low > 0.0

    def text(self, digits: int = 3) -> str:
        """Write a gain with its interval."""
        if self.value is None:
            return figures.DASH
        ends = f" {interval(self.low, self.high, digits)}" if self.low is not None else ""
        return f"{figures.signed(self.value, digits=digits, unit='')}{ends}"

    def plain(self, digits: int = 3) -> str:
        """Write a size, which has no sign, with its interval."""
        if self.value is None:
            return figures.DASH
        ends = f" {interval(self.low, self.high, digits, is_signed=False)}" if self.low is not None else ""
        return f"{self.value:.{digits}f}{ends}"


def interval(low: float | None, high: float | None, digits: int, *, is_signed: bool = True) -> str:
    """Write both ends of an interval."""
    if low is None or high is None:
        return ""
    if not is_signed:
        return f"[{low:.{digits}f}, {high:.{digits}f}]"
    return f"[{', '.join(figures.signed(end, digits=digits, unit='').removeprefix('+') for end in (low, high))}]"


@dataclass(frozen=True, slots=True)
class Run:
    """A score run and its figures."""

    row: ScoreRun
    values: tuple[Value, ...]

    @classmethod
    def of(cls, row: ScoreRun) -> Run:
        """Read a stored run."""
        return cls(row, tuple(Value(**one) for one in row.rows))

    @property
    def pk(self) -> int:
        """The run's number, by which pages refer to it."""
        return int(self.row.pk)

    @property
    def is_real(self) -> bool:
        """Tell a run on an exchange's data from one on made-up data."""
        return self.row.instrument is not None and not self.row.instrument.is_simulated

    @property
    def subject(self) -> str:
        """What was scored, and that it is made up where it is."""
        name = self.row.subject
        return name if self.is_real else f"{name} (simulated)" if name != SIMULATOR else name

    @property
    def span(self) -> str:
        """From when to when."""
        if self.row.since is None or self.row.until is None:
            return figures.DASH
        return f"{figures.day(self.row.since)} to {figures.day(self.row.until)}"

    def all(self, **names: str) -> Iterator[Value]:
        """The figures that bear all these names."""
        return (one for one in self.values if all(getattr(one, name) == wanted for name, wanted in names.items()))

    def one(self, **names: str) -> Value | None:
        """The first of them."""
        return next(self.all(**names), None)


def of_kind(runs: list[Run], against: str) -> list[Run]:
    """The runs on exchanges' data against one thing."""
    return [run for run in runs if run.row.against == against and run.is_real]
