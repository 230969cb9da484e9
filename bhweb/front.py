"""The three figures of the landing page, from stored score runs, or that there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from heatmaps.queries import standing_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.models import ScoreRun

_OURS, _NULL = "open-interest", "path-only"
UNSCORED: Final = "Not scored on this installation yet."
# Of the small pictures [units]: half their width, and how far beyond the ends of an interval they reach.
_HALF, _MARGIN = 110.0, 1.25


@dataclass(frozen=True, slots=True)
class Figure:
    """A gain with its interval, drawn around zero; without a value nothing is drawn."""

    said: str
    source: str = ""
    low: float = 0.0
    high: float = 0.0
    middle: float = 0.0
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, what follows from it, and the figure that it rests on."""

    title: str
    text: str
    figure: Figure


def claims() -> list[Claim]:
    """Return the three claims with what the newest standing runs say of them."""
    runs = list(standing_scores())
    return [
        Claim(
            "Read beyond the wick",
            "The map is held against what the candle alone would tell. What it explains beyond that is its worth.",
            _gain(runs, "explained beyond wick and volume", measure="r2", versus="control"),
        ),
        Claim(
            "Beside the dullest rule",
            "A second map knows the path of price and nothing else. Sizes count only where ours explains more.",
            _gain(runs, "explained beyond the path of price alone", measure="r2-beyond", versus=_NULL),
        ),
        Claim(
            "Chances that are kept",
            "Each chance of a touch is written down, and what came is written beside it. Misses stay.",
            _skill(runs),
        ),
    ]


def _gain(runs: list[ScoreRun], words: str, *, measure: str, versus: str) -> Figure:
    """Read the side with the smaller gain: a claim is as good as its worse half."""
    wanted = {"measure": measure, "map": _OURS, "mode": "frozen", "versus": versus}
    for run in _real(runs, "hourly-totals"):
        found = [row for row in run.rows if _is(row, wanted) and row["value"] is not None]
        if found:
            worse = min(found, key=lambda row: float(row["value"]))
            return _figure(worse, f"{worse['side']}s: {_signed(worse['value'])} {words}", run)
    return Figure(UNSCORED)


def _skill(runs: list[ScoreRun]) -> Figure:
    for run in _real(runs, "touches"):
        for row in run.rows:
            if _is(row, {"measure": "brier-skill", "mode": "4h"}) and row["value"] is not None:
                return _figure(row, f"Within 4 h: skill {_signed(row['value'])} over the base rate", run)
    return Figure(UNSCORED)


def _real(runs: list[ScoreRun], against: str) -> list[ScoreRun]:
    """Return the runs on an exchange's data."""
    return [run for run in runs if run.against == against and run.instrument and not run.instrument.is_simulated]


def _is(row: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(row[name] == value for name, value in wanted.items())


def _figure(row: Mapping[str, Any], said: str, run: ScoreRun) -> Figure:
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return Figure(said, run.subject)
    reach = _MARGIN * max(abs(low), abs(high)) or 1.0
    low_at, high_at, at = (round(_HALF * (1 + float(value) / reach), 1) for value in (low, high, row["value"]))
    ends = f"[{_signed(low)}, {_signed(high)}]"
    return Figure(f"{said}, 95% interval {ends}", run.subject, low_at, high_at, at, is_known=True)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
