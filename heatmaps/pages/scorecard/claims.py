"""What is shown and what is not, in words, decided by stored intervals and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from heatmaps.pages import touches

from .reading import FEW, PRINTS, TOTALS, TOUCHES, Value, of_kind
from .wording import NOT_SHOWN, NULL, OURS, SHOWN, UNSCORED, Claim
from .worlds import worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .reading import Run

CONTROL: Final = "control"
# What a stated chance may be off on average, over all that was stated (docs/METHOD).
CLOSE: Final = 0.02
_SIDES: Final = ("long", "short")


def claims(runs: list[Run]) -> list[Claim]:
    """All claims: of maps one line for each instrument that was scored, of chances one for each horizon."""
    totals, walked = of_kind(runs, TOTALS), of_kind(runs, TOUCHES)
    prints = of_kind(runs, PRINTS)
    return [
        *_each("Locates liquidations beyond the wick", totals, TOTALS, _locates),
        *_each("Sizes beyond geometry", totals, TOTALS, _sizes),
        *_each("Places single liquidations better than geometry", prints, PRINTS, _places),
        *_by_horizon("Chance of a touch within {} beats the base rate", walked, "brier-skill", _beats),
        *_by_horizon("Chance of a touch within {} is off by 2 points or less", walked, "ece", _holds),
        *worlds(runs),
        Claim("80% intervals of amounts hold on real liquidations", "", UNSCORED, (_NO_TRUTH,), (), ""),
        Claim("Price is drawn to zones", "", "not claimed", ("Nothing here says so.",), (), ""),
    ]


_NO_TRUTH: Final = (
    "They were calibrated on simulated markets; prints by price are recorded, and held to nothing so far."
)
_COMMAND: Final = "python3 manage.py score INSTRUMENT --against {}"


def _each(
    text: str, runs: Sequence[Run], against: str, judge: Callable[[Run], tuple[str, tuple[str, ...]]]
) -> list[Claim]:
    if not runs:
        return [Claim(text, "", UNSCORED, (), (), "", _COMMAND.format(against))]
    found = [(run, *judge(run)) for run in runs]
    return [Claim(text, run.subject, verdict, lines, (run.pk,), run.span) for run, verdict, lines in found]


def _by_horizon(
    text: str, runs: Sequence[Run], measure: str, judge: Callable[[Value], tuple[bool, str]]
) -> list[Claim]:
    """One claim for each horizon, decided instrument by instrument."""
    if not runs:
        return [Claim(text.format("4 h to 7 d"), "", UNSCORED, (), (), "", _COMMAND.format(TOUCHES))]
    found = []
    for name, word in touches.WORDS.items():
        held = [(run, one) for run in runs if (one := run.one(measure=measure, mode=name)) is not None]
        if not held:
            continue
        judged = [judge(one) for _, one in held]
        lines = tuple(f"{run.subject}: {said}{_days(one)}" for (run, one), (_, said) in zip(held, judged, strict=True))
        spans = ", ".join(dict.fromkeys(run.span for run, _ in held))
        verdict = _verdict([is_so for is_so, _ in judged])
        found.append(
            Claim(text.format(word), _count(len(held)), verdict, lines, tuple(run.pk for run, _ in held), spans)
        )
    return found


def _verdict(judged: Sequence[bool]) -> str:
    if all(judged):
        return SHOWN
    return f"shown for {sum(judged)} of {len(judged)}" if any(judged) else NOT_SHOWN


def _count(number: int) -> str:
    return f"{number} instrument{'' if number == 1 else 's'}"


def _locates(run: Run) -> tuple[str, tuple[str, ...]]:
    return _both(run, "r2", CONTROL, "explained beyond wick and volume")


def _sizes(run: Run) -> tuple[str, tuple[str, ...]]:
    return _both(run, "r2-beyond", NULL, "explained beyond a map that knows the path of price alone")


def _places(run: Run) -> tuple[str, tuple[str, ...]]:
    one = run.one(measure="log-skill", map=OURS, versus=NULL)
    if one is None or one.value is None:
        return UNSCORED, ("The run has no such figure.",)
    return (SHOWN if one.is_above else NOT_SHOWN), (f"log-skill {one.text()} over the path of price alone{_days(one)}",)


def _both(run: Run, measure: str, versus: str, words: str) -> tuple[str, tuple[str, ...]]:
    """Both sides have to be above zero with their whole interval, in what the map held before the hour began."""
    found = [run.one(measure=measure, map=OURS, side=side, mode="frozen", versus=versus) for side in _SIDES]
    known = [one for one in found if one is not None]
    if len(known) < len(_SIDES) or any(one.value is None for one in known):
        return UNSCORED, ("The run has no such figure.",)
    lines = tuple(f"{one.side}s {one.text()} {words}" for one in known)
    return (SHOWN if all(one.is_above for one in known) else NOT_SHOWN), lines


def _beats(one: Value) -> tuple[bool, str]:
    return one.is_above, f"Brier skill {one.text()}"


def _holds(one: Value) -> tuple[bool, str]:
    if one.value is None or one.value <= CLOSE:
        return one.value is not None, f"off by {one.plain()}"
    return False, f"off by {one.plain()}, missed by {one.value - CLOSE:.3f}"


def _days(one: Value) -> str:
    return f", {one.days} days only" if one.days < FEW else ""
