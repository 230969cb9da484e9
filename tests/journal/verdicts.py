"""Plans and bars for the verdict, written small: long by default, mirrored around 200 on demand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from journal.verdict import Kind, State, Target, Terms, judge, start
from market.series import BAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from journal.verdict import Judged

D = Decimal
MINUTE = 60_000
# Entry 100, stop 90, one target at 120, tick 1: 1 R is 10.
CENTRE = 200


def terms(*, is_short: bool = False, targets: Sequence[tuple[int, str]] = ((120, "1"),), **changes: Any) -> Terms:  # noqa: ANN401  # terms by name
    """A plan at 100 with its stop at 90; a short one is the same in a mirror at 200."""
    given: dict[str, Any] = {"kind": Kind.LIMIT, "entry": D(100), "stop": D(90), "tick": D(1), "armed_ms": 0,
                             "expires_ms": 10**12, "side": 1} | changes  # fmt: skip
    goals = [(D(price), D(weight)) for price, weight in targets]
    if is_short:
        given |= {"side": -1, "entry": CENTRE - given["entry"], "stop": CENTRE - given["stop"]}
        goals = [(CENTRE - price, weight) for price, weight in goals]
        for name in ("liquidation", "bankruptcy"):
            if given.get(name) is not None:
                given[name] = CENTRE - given[name]
        if (rule := given.get("confirmation")) and rule.price is not None:
            given["confirmation"] = replace(rule, price=CENTRE - rule.price)
    return Terms(targets=tuple(Target(price, weight) for price, weight in goals), **given)


def bars(*rows: tuple[float, float, float, float], is_short: bool = False, first: int = 0) -> npt.NDArray[np.void]:
    """One-minute bars from (open, high, low, close)."""
    made = np.zeros(len(rows), BAR)
    for i, (opened, high, low, closed) in enumerate(rows):
        if is_short:
            opened, high, low, closed = CENTRE - opened, CENTRE - low, CENTRE - high, CENTRE - closed  # noqa: PLW2901  # the mirror
        made[i]["open_time"] = (first + i) * MINUTE
        made[i]["open"], made[i]["high"], made[i]["low"], made[i]["close"] = opened, high, low, closed
    return made


def run(plan: Terms, rows: npt.NDArray[np.void], state: State | None = None, **given: Any) -> Judged:  # noqa: ANN401  # terms by name
    """Judge a plan on minute bars."""
    return judge(plan, state or start(plan), rows, step_ms=MINUTE, **given)


def bounds(plan: Terms, judged: Judged) -> tuple[Decimal, Decimal]:
    """The worst and the best result [R]."""
    results = [branch.result(plan) for branch in judged.state.branches]
    return min(results), max(results)


def kinds(judged: Judged) -> list[str]:
    """What happened, in order."""
    return [event.kind for event in judged.events]
