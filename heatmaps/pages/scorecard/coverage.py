"""How often intervals held: of all amounts, and of ours by side and distance, with counts and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heatmaps.core.bands import distance_names
from heatmaps.pages import figures

from .reading import FEW, SIMULATOR, Value
from .tables import Row
from .wording import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .reading import Run

_MEASURE = "coverage-"


def coverage(runs: Sequence[Run]) -> list[Row]:
    """Coverage of all amounts by world, level and map."""
    return [
        Row((_of(run), _level(one), one.map), (one.plain(), f"{one.n:,}", str(one.days)), one.days < FEW, run.pk)
        for run, one in _values(runs)
        if (one.side, one.mode) == ("both", "")
    ]


def by_distance(runs: Sequence[Run]) -> list[Row]:
    """Coverage of ours: one line for each world, level and side, one cell for each distance."""
    found: dict[tuple[int, str, str], dict[str, Value]] = {}
    names = {run.pk: _of(run) for run in runs}
    for run, one in _values(runs):
        if one.map == OURS and one.side != "both" and one.mode:
            found.setdefault((run.pk, _level(one), one.side), {})[one.mode] = one
    return [
        Row(
            (names[run], level, side),
            tuple(_cell(cells.get(name)) for name in distance_names()),
            any(one.days < FEW for one in cells.values()),
            run,
        )
        for (run, level, side), cells in found.items()
    ]


def _values(runs: Sequence[Run]) -> Iterator[tuple[Run, Value]]:
    return ((run, one) for run in runs for one in run.values if one.measure.startswith(_MEASURE))


def _of(run: Run) -> str:
    return run.row.against if run.row.subject == SIMULATOR else run.subject


def _level(one: Value) -> str:
    return f"{one.measure.removeprefix(_MEASURE)}%"


def _cell(one: Value | None) -> str:
    return figures.DASH if one is None else f"{one.plain(2)}, n {one.n:,}"
