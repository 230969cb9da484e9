"""What a trader's own plans show, every figure with its interval, its gate, or the reason why it is not said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from journal import statistics
from journal.models import Judgement, Plan, PlanEvent, Trade
from journal.queries.controls import Controls, compare_with_chance, read_control
from journal.queries.paths import Paths, read_paths
from journal.statistics import Gate, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CLOSED: Final = "closed"
_MOST: Final = 5_000
# Above this share of plans whose course the bars do not settle, the page warns.
AMBIGUOUS_MOST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan that was armed.

    low, high: results of its worst and best course [R], None unless it was entered and closed; came: whether a target
    came on the worst course; day: of its end. adverse, favourable: how far the price went meanwhile,
    least and most [R]. control: mean and standard deviation of its replays at random moments [R], once drawn.
    """

    plan: Plan
    phase: str
    low: float | None
    high: float | None
    came: bool
    day: int
    adverse: tuple[float, float] | None = None
    favourable: tuple[float, float] | None = None
    control: tuple[float, float] | None = None
    is_drawn: bool = False

    @property
    def is_ambiguous(self) -> bool:
        """Whether the bars leave its result open."""
        return self.low is not None and self.low != self.high


@dataclass(frozen=True, slots=True)
class Cell:
    """Closed plans that share something.

    pulled: the mean after shrinkage; chance: of a mean so far from 0 by luck; holds: other than 0 among all cells.
    """

    name: str
    count: int
    gate: Gate
    hits: statistics.Interval | None = None
    mean: statistics.Interval | None = None
    pulled: float | None = None
    chance: float | None = None
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the review page says. more: how many more results would show a mean of 0.2 R."""

    funnel: tuple[tuple[str, int], ...]
    whole: Cell
    best_mean: float | None
    ambiguous: statistics.Interval | None
    shape: statistics.Shape | None
    median: statistics.Interval | None
    factor: statistics.Interval | None
    drawdown: statistics.Interval | None
    belief: statistics.Belief | None
    belief_count: int
    more: int | None
    tables: tuple[tuple[str, tuple[Cell, ...]], ...]
    paths: Paths
    controls: Controls
    row: tuple[float, ...] = ()

    @property
    def warns(self) -> bool:
        """Whether too many plans are ambiguous for the headline to be trusted."""
        return self.ambiguous is not None and self.ambiguous.value > AMBIGUOUS_MOST


def outcomes(*, owner_id: int) -> list[Outcome]:
    """Return the owner's armed plans with what became of them, in the order in which they ended; the newest 5,000."""
    judged = Judgement.objects.owned_by(owner_id).select_related("plan__zone__heatmap__instrument")
    rows = list(judged.order_by("-pk")[:_MOST])
    came = set(
        PlanEvent.objects.owned_by(owner_id)
        .filter(plan_id__in=[one.plan_id for one in rows], kind="target")
        .values_list("plan_id", flat=True)
    )
    found = [_outcome(one, came=one.plan_id in came) for one in rows]
    return sorted(found, key=lambda one: (one.day, one.plan.pk))


def _outcome(one: Judgement, *, came: bool) -> Outcome:
    closed = one.is_done and one.phase == _CLOSED
    end = one.through_at or one.plan.armed_at or one.plan.created_at
    return Outcome(
        plan=one.plan,
        phase=one.phase,
        low=float(one.result_low) if closed and one.result_low is not None else None,
        high=float(one.result_high) if closed and one.result_high is not None else None,
        came=came and one.result_low is not None and one.result_low > 0,
        day=end.toordinal(),
        adverse=_bounds(one, "adverse"),
        favourable=_bounds(one, "favourable"),
        control=read_control(one),
        is_drawn=one.control is not None,
    )


def _bounds(one: Judgement, name: str) -> tuple[float, float] | None:
    found = (one.excursion or {}).get(name)
    return (found[0], found[1]) if found else None


def results(*, owner_id: int) -> Results:
    """Return what the owner's closed plans show, on their worst course."""
    everything = outcomes(owner_id=owner_id)
    closed = [one for one in everything if one.low is not None]
    row = [one.low for one in closed if one.low is not None]
    tables = _tables(closed)
    stated = [one for one in closed if one.plan.belief_pct is not None]
    return Results(
        funnel=_funnel(everything),
        whole=_cell("all closed plans", closed),
        best_mean=sum(one.high or 0.0 for one in closed) / len(closed) if len(closed) >= statistics.LEAST else None,
        ambiguous=statistics.wilson(sum(one.is_ambiguous for one in closed), len(closed)),
        shape=statistics.shape(row) if len(row) >= statistics.LEAST else None,
        median=statistics.resampled(row, shapes.medians),
        factor=statistics.resampled(row, shapes.factors),
        drawdown=statistics.resampled(row, shapes.drawdowns),
        belief=statistics.judge_belief(
            [(one.plan.belief_pct or 0) / 100 for one in stated], [one.came for one in stated]
        ),
        belief_count=len(stated),
        more=_more(row),
        tables=tables,
        paths=read_paths(closed),
        controls=compare_with_chance(closed),
        row=tuple(row),
    )


def _funnel(everything: Sequence[Outcome]) -> tuple[tuple[str, int], ...]:
    """Return how many plans came how far; each of the last line's ends is a part of the armed ones."""
    ends = Counter(one.phase for one in everything)
    entered = sum(ends[name] for name in ("open", _CLOSED))
    rest = [(name, count) for name, count in sorted(ends.items()) if name not in {"open", _CLOSED, "armed"}]
    return (
        ("armed", len(everything)),
        ("waiting", ends["armed"]),
        ("entered", entered),
        ("closed", ends[_CLOSED]),
        *rest,
    )


def _more(row: Sequence[float]) -> int | None:
    if len(row) < statistics.LEAST:
        return None
    mean = sum(row) / len(row)
    spread = (sum((one - mean) ** 2 for one in row) / (len(row) - 1)) ** 0.5
    return max(0, statistics.needed_count(spread=spread) - len(row)) if spread else None


_GROUPINGS: Final[tuple[tuple[str, Callable[[Plan], Sequence[str]]], ...]] = (
    ("Setup", lambda plan: plan.setups or ["without a name"]),
    ("Direction", lambda plan: [plan.get_direction_display()]),
    ("Entry", lambda plan: [plan.get_entry_kind_display()]),
    ("Confirmation", lambda plan: ["by a rule" if plan.confirmation else "none"]),
    ("Contract", lambda plan: [plan.zone.heatmap.instrument.symbol]),
    ("Regime when armed", lambda plan: [_regime(plan)]),
)


def _regime(plan: Plan) -> str:
    """Return the regime that the evidence froze."""
    layers = ((plan.evidence or {}).get("context") or {}).get("layers") or {}
    return str((layers.get("regime") or {}).get("value") or "not known")


def _tables(closed: Sequence[Outcome]) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    """Return the groups of each kind; what holds is decided among all cells at once, not one by one."""
    grouped = [(title, _groups(closed, names)) for title, names in _GROUPINGS]
    tables = [(title, _cells(groups)) for title, groups in grouped if len(groups) > 1]
    flat = [cell for _, cells in tables for cell in cells]
    tested = [cell for cell in flat if cell.chance is not None]
    held = dict(zip(map(id, tested), statistics.discoveries([cell.chance or 0.0 for cell in tested]), strict=True))
    return tuple(
        (title, tuple(replace(cell, holds=held.get(id(cell), False)) for cell in cells)) for title, cells in tables
    )


def _groups(closed: Sequence[Outcome], names: Callable[[Plan], Sequence[str]]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for one in closed:
        for name in names(one.plan):
            groups.setdefault(name, []).append(one)
    return dict(sorted(groups.items()))


def _cells(groups: dict[str, list[Outcome]]) -> tuple[Cell, ...]:
    pulled = statistics.shrink([[one.low or 0.0 for one in group] for group in groups.values()])
    cells = []
    for (name, group), mean in zip(groups.items(), pulled, strict=True):
        cell = _cell(name, group)
        chance = statistics.zero_chance([one.low or 0.0 for one in group])
        shown = mean if cell.gate is not Gate.COUNTS else None
        cells.append(replace(cell, pulled=shown, chance=chance))
    return tuple(cells)


def _cell(name: str, group: Sequence[Outcome]) -> Cell:
    low = [one.low or 0.0 for one in group]
    passed = statistics.gate(len(group))
    if passed is Gate.COUNTS:
        return Cell(name, len(group), passed)
    return Cell(
        name=name,
        count=len(group),
        gate=passed,
        hits=statistics.wilson(sum(one > 0 for one in low), len(low)),
        mean=statistics.mean_interval(low, days=[one.day for one in group]),
    )


def count_unmatched(*, owner_id: int) -> int:
    """Return how many trades wait for the question which plan they belong to."""
    return Trade.objects.owned_by(owner_id).filter(matched="", plan=None).count()
