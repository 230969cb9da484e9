"""Claims about simulated worlds: what was demanded of ours there, seed by seed, and every miss of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .reading import SIMULATOR
from .wording import NOT_SHOWN, NULL, OURS, SHOWN, UNSCORED, Claim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .reading import Run, Value

_AHEAD: Final = "Places simulated liquidations better than every rule, on every seed"
_BEYOND: Final = "Places simulated liquidations better than the path of price alone, on every seed"
_HOLDS: Final = "80% intervals hold 75 to 85% of simulated amounts"
_COMMAND: Final = "python3 manage.py score simulator --worlds all"
_LEAST, _MOST = 0.75, 0.85


def worlds(runs: Sequence[Run]) -> list[Claim]:
    """One claim of each kind for each world that was judged."""
    judged = [run for run in runs if run.row.subject == SIMULATOR]
    if not judged:
        return [Claim(text, "", UNSCORED, (), (), "", _COMMAND) for text in (_AHEAD, _BEYOND, _HOLDS)]
    return [*map(_ahead, judged), *map(_beyond, judged), *map(_holds, judged)]


def _ahead(run: Run) -> Claim:
    return _better(_AHEAD, run, [one for one in _leads(run) if one.versus != NULL])


def _beyond(run: Run) -> Claim:
    return _better(_BEYOND, run, [one for one in _leads(run) if one.versus == NULL])


def _leads(run: Run) -> list[Value]:
    return [one for one in run.all(measure="log-skill", map=OURS) if one.versus]


def _better(text: str, run: Run, ahead: Sequence[Value]) -> Claim:
    missed = [one for one in ahead if (one.value or 0.0) <= 0.0]
    sure = sum(one.is_above for one in ahead)
    lines = (
        *(f"missed: log-skill {_small(one)} over {one.versus}, {one.mode}" for one in missed),
        f"{len(ahead) - len(missed)} of {len(ahead)} comparisons above zero, {sure} with their whole interval",
    )
    return _claim(text, run, is_shown=bool(ahead) and not missed, lines=lines)


def _holds(run: Run) -> Claim:
    one = run.one(measure="coverage-80", map=OURS, side="both", mode="")
    if one is None or one.value is None:
        return Claim(_HOLDS, f"world {run.row.against}", UNSCORED, ("The run has no such figure.",), (run.pk,), "")
    line = f"held {one.plain()} of {one.n:,}"
    return _claim(_HOLDS, run, is_shown=_LEAST <= one.value <= _MOST, lines=(line,))


def _claim(text: str, run: Run, *, is_shown: bool, lines: tuple[str, ...]) -> Claim:
    verdict = SHOWN if is_shown else NOT_SHOWN
    return Claim(text, f"world {run.row.against}", verdict, lines, (run.pk,), "simulated")


def _small(one: Value) -> str:
    return one.text(4)
