"""Hourly totals of liquidations against what maps say was swept, beside a control that knows path and volume.

Measures of each map and side, for what it held when the hour began ("frozen") and with what came in it ("live"):

    rank       Spearman's correlation of the swept mass with the liquidations, by itself
    rank-partial   the same of what ranks of the control leave of both
    r2         share of the variance of log(1 + USD) explained out of sample by control + log(1 + mass), least squares
    deviance   share of the Poisson deviance of USD explained out of sample by control + log(mass)

Every map is held against the control alone and against rivals that are given the same freedom: one predictor beside the
same control. "-beyond" is nested: what the map adds where the rival is already in. Intervals resample whole days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from .figures import Figure
from .fits import deviance, folds, linear, mixture, poisson
from .resampling import gain, interval_of, rank_draws
from .walk import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from heatmaps.core.grid import Floats

    from .chances import Interval
    from .hours import Hours
    from .walk import Masses

SIDES: Final = ("long", "short")
_Named = tuple[str, str, str, "Interval", int]
CONTROL: Final = "control"
WICK: Final = "excursion"


class _Blank(NamedTuple):
    """What the mean alone loses in each hour, and which hours are predicted at all."""

    loss: Floats
    scored: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is scored: hours, liquidations in them (usd: float64[hour, side]), and the masses of maps in money by name.

    pairs: (map, rival) that are compared; each map is compared with the control in any case. kind: how fits are kept
    from what they predict, one of ``fits.FOLDS``.
    """

    hours: Hours
    usd: Floats
    masses: Mapping[str, Masses]
    pairs: Sequence[tuple[str, str]]
    kind: str = "weeks"

    def figures(self) -> list[Figure]:
        """All figures: sides, then modes, then measures."""
        return [
            figure
            for side, name in enumerate(SIDES)
            for mode in MODES
            for figures in (self._rank(side, mode), self._log(side, mode), self._levels(side, mode))
            for figure in self._named(figures, name, mode)
        ]

    def _named(self, found: Iterator[_Named], side: str, mode: str) -> Iterator[Figure]:
        days = len(np.unique(self.hours.days))
        for measure, name, versus, value, n in found:
            yield Figure.of(value, n=n, days=days, measure=measure, map=name, versus=versus, side=side, mode=mode)

    def _rank(self, side: int, mode: str) -> Iterator[_Named]:
        predictors = np.stack([self.hours.excursion(side), *(self._mass(name, side, mode) for name in self.masses)])
        target, days = self.usd[:, side], self.hours.days
        yield from self._ranked("rank", [WICK, *self.masses], rank_draws(predictors, target, days))
        drawn = rank_draws(predictors[1:], target, days, given=self.hours.control(side).T)
        yield from self._ranked("rank-partial", list(self.masses), drawn)

    def _ranked(self, measure: str, names: list[str], found: tuple[Floats, Floats]) -> Iterator[_Named]:
        values, drawn = found
        place = {name: index for index, name in enumerate(names)}
        count = len(self.hours)
        for name, index in place.items():
            yield measure, name, "", interval_of(float(values[index]), drawn[:, index]), count
        wick = [(name, WICK) for name in self.masses] if WICK in place else []
        for name, rival in [*wick, *self.pairs]:
            one, two = place[name], place[rival]
            apart = interval_of(float(values[one] - values[two]), drawn[:, one] - drawn[:, two])
            yield measure, name, rival, apart, count

    def _log(self, side: int, mode: str) -> Iterator[_Named]:
        target, control = np.log1p(self.usd[:, side]), self.hours.control(side)
        parts = folds(self.hours.days, self.kind)
        logs = {name: np.log1p(self._mass(name, side, mode)) for name in self.masses}

        def losses(*extra: Floats) -> Floats:
            return np.asarray((target - linear(np.column_stack([control, *extra]), target, parts)) ** 2)

        found = {CONTROL: losses()} | {name: losses(one) for name, one in logs.items()}
        scored = np.isfinite(found[CONTROL])
        blank = _Blank((target - target[scored].mean()) ** 2, scored)
        yield from self._compared("r2", found, blank)
        for name, rival in self.pairs:
            both = losses(logs[rival], logs[name])
            yield self._gain("r2-beyond", name, rival, found[rival] - both, blank)

    def _levels(self, side: int, mode: str) -> Iterator[_Named]:
        target, control = self.usd[:, side], self.hours.control_of_levels(side)
        parts = folds(self.hours.days, self.kind)

        def losses(name: str | None) -> Floats:
            def features(train: npt.NDArray[np.bool_]) -> Floats:
                if name is None:
                    return control
                masses = self.masses[name]
                held = masses.parts(mode)[:, side]
                return np.column_stack([control, mixture(held, target, masses.prior, train)])

            return deviance(target, poisson(features, target, parts))

        found = {name or CONTROL: losses(name) for name in (None, *self.masses)}
        scored = np.isfinite(found[CONTROL])
        blank = _Blank(deviance(target, np.full(len(target), target[scored].mean())), scored)
        yield from self._compared("deviance", found, blank)

    def _compared(self, measure: str, losses: Mapping[str, Floats], blank: _Blank) -> Iterator[_Named]:
        """What each predictor explains, then what each map gains over the control and over its rivals."""
        for name, loss in losses.items():
            yield self._gain(measure, name, "", blank.loss - loss, blank)
        for name, rival in [*((name, CONTROL) for name in self.masses), *self.pairs]:
            yield self._gain(measure, name, rival, losses[rival] - losses[name], blank)

    def _gain(self, measure: str, name: str, versus: str, per_hour: Floats, blank: _Blank) -> _Named:
        scored = blank.scored
        found = gain(per_hour[scored], float(blank.loss[scored].sum()), self.hours.days[scored])
        return measure, name, versus, found, int(scored.sum())

    def _mass(self, name: str, side: int, mode: str) -> Floats:
        return np.asarray(self.masses[name].total(mode)[:, side])
