"""Own plans beside the same plans at random moments, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.pages.words import signed
from journal.statistics import Gate

if TYPE_CHECKING:
    from journal.queries import Controls
    from journal.statistics import Control


def describe_controls(found: Controls) -> dict[str, Any]:
    """Say what random moments would have given; below ten compared plans only how many there are."""
    told = found.found
    return {
        "count": found.count,
        "waiting": found.waiting,
        "without": found.without,
        "is_few": found.gate is Gate.FEW,
        "figures": _figures(told) if told else [],
        "says": _says(told, found) if told else "",
    }


def _figures(told: Control) -> list[tuple[str, str]]:
    low, high = _r(told.gain.low), _r(told.gain.high)
    rows = [
        ("Mean of the compared plans", _r(told.own)),
        ("What random entry at the same distances would have given", _r(told.drawn)),
        ("Difference", f"{_r(told.gain.value)}, 95 %: {low} to {high}"),
    ]
    if told.as_high is not None:
        rows.append(("Random moments for all of them come out as high or higher", _chance(told.as_high)))
    return rows


def _says(told: Control, found: Controls) -> str:
    if told.gain.low <= 0 <= told.gain.high:
        return "It is not shown that place and moment of these plans add anything to their distances."
    word = "more" if told.gain.low > 0 else "less"
    few = "" if found.gate is Gate.OPEN else f"; {found.count} plans are few"
    return f"These plans made {word} than random moments would have, with the whole interval{few}."


def _r(value: float) -> str:
    return f"{signed(value)} R"


def _chance(share: float) -> str:
    return "less than 1 % of the time" if share < 0.01 else f"{share * 100:.0f} % of the time"  # noqa: PLR2004 # what is said
