"""The scorecard's tables: chances by instrument and month, maps against their nulls, simulated worlds, misses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from heatmaps.pages import figures, touches

from .claims import CONTROL
from .reading import FEW, PRINTS, SIMULATOR, TOTALS, Value, of_kind
from .wording import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heatmaps.queries import Miss

    from .reading import Run

_NO_NULL: Final = "wick and volume alone"


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its names, its figures, whether it rests on few days, and the run it comes from."""

    names: tuple[str, ...]
    cells: tuple[str, ...]
    is_small: bool
    run: int
    note: str = ""


def chances(runs: Sequence[Run]) -> list[Row]:
    """Brier of ours and of the base rate, skill and ECE, by instrument and horizon."""
    return [row for run in runs for name in touches.WORDS if (row := _chance(run, name)) is not None]


def _chance(run: Run, name: str) -> Row | None:
    skill, ece = run.one(measure="brier-skill", mode=name), run.one(measure="ece", mode=name)
    mine = run.one(measure="brier", mode=name, versus="", map="har-excursions")
    base = run.one(measure="brier", mode=name, map="base-rate")
    if skill is None or ece is None or mine is None or base is None:
        return None
    cells = (mine.plain(), base.plain(), skill.text(), ece.plain(), f"{skill.n:,}", str(skill.days))
    return Row((run.subject, touches.WORDS[name]), cells, skill.days < FEW, run.pk)


def chances_by_month(runs: Sequence[Run]) -> list[Row]:
    """Brier skill over the base rate by month: one line for each instrument and month."""
    found = []
    for run in runs:
        months = sorted({one.measure.partition(" ")[2] for one in run.values if one.measure.startswith("brier-skill ")})
        for month in months:
            values = [run.one(measure=f"brier-skill {month}", mode=name) for name in touches.WORDS]
            few = any(one is not None and one.days < FEW for one in values)
            cells = tuple(figures.DASH if one is None else one.text() for one in values)
            found.append(Row((run.subject, month), cells, few, run.pk))
    return found


def nulls(runs: list[Run]) -> list[Row]:
    """What our map explains of hourly liquidations beyond each null, on logarithms, by side."""
    return [row for run in of_kind(runs, TOTALS) for row in _nulls(run)]


def months_of_nulls(rows: Sequence[Run]) -> list[Row]:
    """The same for runs over shorter spans, such as a month."""
    return [row for run in rows for row in _nulls(run) if row.names[1] in {_NO_NULL, "path-only"}]


def _nulls(run: Run) -> list[Row]:
    rivals = dict.fromkeys(one.versus for one in run.all(measure="r2", map=OURS, mode="frozen") if one.versus)
    found = []
    for rival in sorted(rivals, key=lambda name: (name != CONTROL, name != "path-only", name)):
        values = [
            run.one(measure="r2", map=OURS, mode=mode, side=side, versus=rival)
            for side in ("long", "short")
            for mode in ("frozen", "live")
        ]
        cells = tuple(figures.DASH if one is None else one.text() for one in values)
        few = any(one is not None and one.days < FEW for one in values)
        names = (run.subject, _NO_NULL if rival == CONTROL else rival)
        found.append(Row(names, cells, few, run.pk, run.span))
    return found


def prints(runs: list[Run]) -> list[Row]:
    """How much better our map places liquidations within the prices gone through than each null [nats]."""
    return [
        Row((run.subject, one.versus), (one.text(), f"{one.n:,}", str(one.days)), one.days < FEW, run.pk, run.span)
        for run in of_kind(runs, PRINTS)
        for one in run.all(measure="log-skill", map=OURS)
        if one.versus
    ]


def worlds(runs: Sequence[Run]) -> list[Row]:
    """Of each simulated world: ours against its baselines, the worst seed and the best."""
    found = []
    for run in runs:
        if run.row.subject != SIMULATOR:
            continue
        names = dict.fromkeys(one.map for one in run.all(measure="swept-rank"))
        for name in sorted(names, key=lambda one: (one != OURS, one)):
            cells = tuple(_ends(list(run.all(measure=measure, map=name, versus=""))) for measure in _SIMULATED)
            ahead = list(run.all(measure="log-skill", map=OURS, versus=name))
            found.append(Row((run.row.against, name), (*cells, _least(ahead)), is_small=False, run=run.pk))
    return found


_SIMULATED: Final = ("swept-rank", "log-skill", "rank")


def _ends(values: list[Value]) -> str:
    known = [one.value for one in values if one.value is not None]
    if not known:
        return figures.DASH
    low, high = (figures.signed(end, unit="").removeprefix("+") for end in (min(known), max(known)))
    return f"{low} to {high}" if len(known) > 1 else low


def _least(values: list[Value]) -> str:
    """The worst seed with its interval."""
    known = [one for one in values if one.value is not None]
    return min(known, key=lambda one: one.value or 0.0).text() if known else figures.DASH


@dataclass(frozen=True, slots=True)
class MissRow:
    """A level that came otherwise than stated."""

    instrument: str
    horizon: str
    stated_text: str
    level_text: str
    distance_text: str
    chance_text: str
    came_text: str
    zone_id: int | None


def misses(found: Sequence[Miss]) -> list[MissRow]:
    """Put misses into words."""
    return [
        MissRow(
            instrument=f"{one.instrument} (simulated)" if one.is_simulated else one.instrument,
            horizon=touches.WORDS[one.horizon],
            stated_text=figures.moment(one.stated_at),
            level_text=f"{one.level:,.6g}",
            distance_text=figures.signed(figures.pct_away(one.level, one.price)),
            chance_text=touches.percent(one.chance),
            came_text=f"touched (price went {one.low:,.6g} to {one.high:,.6g})"
            if one.is_touched
            else f"not touched (price went {one.low:,.6g} to {one.high:,.6g})",
            zone_id=one.zone_id,
        )
        for one in found
    ]
