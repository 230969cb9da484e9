"""What own plans add up to, as the review page shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from django.template.defaultfilters import pluralize

from access.reading import written
from journal.pages.controls import describe_controls
from journal.pages.paths import describe_paths
from journal.pages.words import DASH, signed
from journal.statistics import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.queries import Cell, Results
    from journal.statistics import Belief, Interval

_BINS: Final = 12
# The picture of results, in its own units.
_WIDTH, _HEIGHT, _FLOOR = 460, 150, 120
_SIDE: Final = 220
_PHASES: Final = {
    "armed": "armed", "waiting": "still waiting", "entered": "entered", "closed": "closed", "missed": "missed",
    "invalidated": "invalidated before entry", "expired": "expired", "void": "void: bars were lost",
}  # fmt: skip


def describe_results(found: Results) -> dict[str, Any]:
    """Say what own plans add up to; what a gate closes is left out, with its reason."""
    whole = found.whole
    return {
        "funnel": _funnel(found.funnel),
        "count": whole.count,
        "gate": whole.gate,
        "is_gated": whole.gate is Gate.COUNTS,
        "headline": _headline(found),
        "figures": [] if whole.gate is Gate.COUNTS else _figures(found),
        "warns": found.warns,
        "ambiguous": _share(found.ambiguous),
        "bars": _histogram(found.row) if whole.gate is not Gate.COUNTS else [],
        "belief": _belief(found.belief) if found.belief else None,
        "belief_count": found.belief_count,
        "paths": describe_paths(found.paths),
        "controls": describe_controls(found.controls),
        "tables": [(title, [_cell(cell) for cell in cells]) for title, cells in found.tables],
    }


def _funnel(counts: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    most = max((count for _, count in counts), default=0) or 1
    return [
        {"title": _PHASES.get(name, name), "count": count, "width": round(240 * count / most), "y": place * 26}
        for place, (name, count) in enumerate(counts)
    ]


def _headline(found: Results) -> str:
    mean = found.whole.mean
    if found.whole.gate is Gate.COUNTS or mean is None:
        return f"{found.whole.count} closed plan{pluralize(found.whole.count)}: too few to say more than that."
    if mean.low <= 0 <= mean.high:
        more = (
            f" About {written(f'{found.more:,}')} more would show a mean of 0.2 R, if there is one."
            if found.more
            else ""
        )
        return f"No evidence yet that these plans make or lose money.{more}"
    word = "above" if mean.low > 0 else "below"
    if found.whole.gate is Gate.OPEN:
        return f"The mean lies {word} 0 with its whole interval."
    return f"So far the mean lies {word} 0 with its whole interval; {found.whole.count} plans are few."


def _figures(found: Results) -> list[tuple[str, str, str]]:
    shape = found.shape
    best = DASH if found.best_mean is None else f"{signed(found.best_mean)} R"
    rows = [
        ("Mean result", _r(found.whole.mean), "worst course of each plan"),
        ("Mean, best courses", best, "where bars leave it open"),
        ("Share that won", _share(found.whole.hits), "Wilson"),
        ("Median", _r(found.median), "blocks of five"),
        ("Won over lost", _range(found.factor, _plain), "blocks of five"),
        ("Deepest fall", _range(found.drawdown, lambda fall: written(f"{fall:.2f} R")), "blocks of five"),
    ]  # fmt: skip
    if shape is not None:
        rows += [
            ("Best and worst", f"{signed(shape.best)} R and {signed(shape.worst)} R", ""),
            ("Longest row of losses", str(shape.losing_streak), ""),
        ]
    return rows


def _plain(value: float) -> str:
    return written(f"{value:.2f}") if math.isfinite(value) else "no loss"


def _range(found: Interval | None, write: Callable[[float], str]) -> str:
    if found is None:
        return DASH
    return f"{write(found.value)}, 95 %: {write(found.low)} to {write(found.high)}"


def _r(found: Interval | None) -> str:
    return _range(found, lambda value: f"{signed(value)} R")


def _share(found: Interval | None) -> str:
    return _range(found, lambda value: f"{value * 100:.0f} %")


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "name": cell.name,
        "count": cell.count,
        "gate": cell.gate.value,
        "is_few": cell.gate in {Gate.COUNTS, Gate.FEW},
        "hits": _share(cell.hits),
        "mean": _r(cell.mean),
        "pulled": DASH if cell.pulled is None else f"{signed(cell.pulled)} R",
        "holds": cell.holds and cell.gate not in {Gate.COUNTS, Gate.FEW},
    }


def _histogram(row: Sequence[float]) -> list[dict[str, Any]]:
    """Return the bars of a histogram of results, each with the whole half R that it begins at."""
    low, high = math.floor(min(row) * 2) / 2, math.ceil(max(row) * 2) / 2
    width = max(0.5, math.ceil((high - low) / _BINS * 2) / 2)
    count = max(1, math.ceil((high - low) / width))
    counts = [0] * count
    for one in row:
        counts[min(count - 1, int((one - low) / width))] += 1
    wide, tall = _WIDTH / count, (_FLOOR - 16) / max(counts)
    return [
        {
            "x": f"{place * wide + 2:.1f}", "width": f"{wide - 4:.1f}", "middle": f"{place * wide + wide / 2:.1f}",
            "height": f"{tall * many:.1f}", "y": f"{_FLOOR - tall * many:.1f}",
            "label": f"{low + place * width:+g}".replace("-", "−"), "count": many, "lost": low + place * width < 0,
        }
        for place, many in enumerate(counts)
    ]  # fmt: skip


def _belief(found: Belief) -> dict[str, Any]:
    gain = _range(found.gain, lambda value: signed(value, 3))
    return {
        "brier": written(f"{found.brier:.3f}"),
        "base": written(f"{found.base:.3f}"),
        "gain": gain,
        "is_shown": found.gain.low > 0,
        "too_small": found.bins_too_small,
        "side": _SIDE,
        "bins": [
            {
                "stated": f"{one.stated * 100:.0f} %", "came": _share(one.came), "count": one.came.count,
                "x": f"{one.stated * _SIDE:.1f}", "y": f"{(1 - one.came.value) * _SIDE:.1f}",
                "low": f"{(1 - one.came.low) * _SIDE:.1f}", "high": f"{(1 - one.came.high) * _SIDE:.1f}",
            }
            for one in found.bins
        ],
    }  # fmt: skip
