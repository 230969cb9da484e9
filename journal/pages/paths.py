"""How far the price went against plans and for them: a scatter in R, and the same as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from access.reading import written
from journal.pages.words import signed
from journal.statistics import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.queries import Outcome, Paths

# The picture, in its own units, with its words above and below what is drawn; the table holds the newest plans.
_WIDTH, _HEIGHT, _LEFT, _HEAD, _FOOT = 460, 348, 40, 26, 44
_ROWS: Final = 200
_MARKS: Final = 6
_STEPS: Final = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)


def describe_paths(found: Paths) -> dict[str, Any]:
    """Say how far the price went; below ten measured plans only how many there are."""
    is_drawn = found.gate is not Gate.COUNTS
    return {
        "count": len(found.measured),
        "unmeasured": found.unmeasured,
        "is_drawn": is_drawn,
        "is_few": found.gate is Gate.FEW,
        "picture": _picture(found.measured) if is_drawn else None,
        "rows": [_row(one) for one in reversed(found.measured[-_ROWS:])] if is_drawn else [],
        "figures": _figures(found),
    }


def range_text(bounds: tuple[float, float]) -> str:
    """Write bounds in R; one number where they are one."""
    low, high = (written(f"{abs(one):.2f}") for one in bounds)
    return f"{low} R" if low == high else f"{low} to {high} R"


def _figures(found: Paths) -> list[tuple[str, str, str]]:
    rows = (
        ("Half of the winners went against you by at most", found.heat_half, _length),
        ("Nine of ten winners by at most", found.heat_most, _length),
        ("Losses that were 1 R ahead before", found.ahead, _share),
    )
    return [
        (title, write(one.value), f"95 %: {write(one.low)} to {write(one.high)}, of {one.count}")
        for title, one, write in rows
        if one is not None
    ]


def _length(value: float) -> str:
    return written(f"{value:.2f} R") if math.isfinite(value) else "not known"


def _share(value: float) -> str:
    return f"{value * 100:.0f} %"


def _row(one: Outcome) -> dict[str, Any]:
    assert one.adverse is not None
    assert one.favourable is not None
    return {
        "plan": one.plan,
        "adverse": range_text(one.adverse),
        "favourable": range_text(one.favourable),
        "result": f"{signed(one.low or 0.0)} R",
    }


def _picture(measured: Sequence[Outcome]) -> dict[str, Any]:
    """Return points with their bounds as a cross, the worse end marked; filled: won."""
    pairs = [(one, one.adverse, one.favourable) for one in measured if one.adverse and one.favourable]
    right = max([0.5, *(adverse[1] for _, adverse, _ in pairs)]) * 1.04
    top = max([0.5, *(favourable[1] for _, _, favourable in pairs)]) * 1.04
    wide, tall = (_WIDTH - _LEFT - 8) / right, (_HEIGHT - _FOOT - _HEAD) / top
    ground = _HEIGHT - _FOOT

    def x(value: float) -> str:
        return f"{_LEFT + value * wide:.1f}"

    def y(value: float) -> str:
        return f"{ground - value * tall:.1f}"

    return {
        "width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "head": _HEAD, "ground": ground, "right": _WIDTH - 8,
        "points": [
            {"x": x(adverse[1]), "near": x(adverse[0]), "y": y(favourable[0]), "top": y(favourable[1]),
             "won": (one.low or 0.0) > 0}
            for one, adverse, favourable in pairs
        ],
        "columns": [(x(mark), f"{mark:g}") for mark in _marks(right)],
        "lines": [(y(mark), f"{mark:g}") for mark in _marks(top)],
        "label": f"{sum((one.low or 0.0) > 0 for one in measured)} plans that won and "
                 f"{sum((one.low or 0.0) <= 0 for one in measured)} that did not; the table below holds each",
    }  # fmt: skip


def _marks(most: float) -> list[float]:
    step = next((one for one in _STEPS if most / one <= _MARKS), _STEPS[-1])
    return [place * step for place in range(1, int(most / step) + 1)]
