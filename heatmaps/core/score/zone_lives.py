"""How zones lived: for how long, what ended them, and how many took the place of one that was lost without a trade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.clusters import OVERLAP
from heatmaps.core.lives import measure
from heatmaps.core.tracked import Cause
from market.series import DAY_MS, HOUR_MS

from .chances import Interval, wilson
from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from heatmaps.core.grid import Floats, Ints

SIDES: Final = {"both": 0, "long": 1, "short": -1}
# A zone that forms so long after another was lost in the same place has another name for the same thing.
CHANGED_MS: Final = DAY_MS


@dataclass(frozen=True, slots=True)
class Lives:
    """Zones, arrays [zone].

    side: +1 longs, -1 shorts; born_ms, ended_ms: of a living zone how far it was seen [ms]; cause: of
    ``tracked.Cause``, "" of the living; born_*: the band as it formed, last_*: as it was told of last [quote per base].
    """

    side: Ints
    born_ms: Ints
    ended_ms: Ints
    cause: npt.NDArray[np.str_]
    born_low: Floats
    born_high: Floats
    last_low: Floats
    last_high: Floats

    @property
    def is_changed(self) -> npt.NDArray[np.bool_]:
        """Whether a zone formed where one had been lost to level ground within CHANGED_MS: no trade did that."""
        lost = np.flatnonzero(self.cause == Cause.LEVELLED.value)
        since = self.born_ms[:, None] - self.ended_ms[lost]
        low = np.maximum(self.born_low[:, None], self.last_low[lost])
        high = np.minimum(self.born_high[:, None], self.last_high[lost])
        narrower = np.minimum((self.born_high - self.born_low)[:, None], (self.last_high - self.last_low)[lost])
        is_near = (since >= 0) & (since <= CHANGED_MS) & (self.side[:, None] == self.side[lost])
        return np.asarray((is_near & (high - low > OVERLAP * narrower)).any(axis=1))


def lived(lives: Lives, since_ms: int, *, name: str = "zones") -> list[Figure]:
    """Figures of the zones of a map that formed from ``since_ms`` on: median life [h], changes of name, ends by cause.

    Medians with the interval of ``lives.measure`` (merged and living zones count as far as they were seen), shares with
    Wilson's, which takes zones for independent.
    """
    return [figure for side in SIDES for figure in _of_side(lives, since_ms, {"map": name, "side": side})]


def _of_side(lives: Lives, since_ms: int, names: dict[str, str]) -> Iterator[Figure]:
    sign = SIDES[names["side"]]
    mine = (lives.born_ms >= since_ms) & ((lives.side == sign) | (sign == 0))
    cause, hours = lives.cause[mine], (lives.ended_ms - lives.born_ms)[mine] / HOUR_MS
    found = measure(hours, (cause != "") & (cause != Cause.JOINED.value))
    days = len(np.unique(lives.born_ms[mine] // DAY_MS))
    unknown = float("nan")
    ends = (unknown if value is None else value for value in (found.hours, found.low, found.high))
    yield Figure.of(Interval(*ends), measure="median-life-h", n=int(mine.sum()), days=days, **names)
    changed = int(lives.is_changed[mine].sum())
    yield _share("changed-name", changed, int(mine.sum()), days, names)
    ended = int((cause != "").sum())
    for one in Cause:
        hits = int((cause == one.value).sum())
        yield _share("ended-by", hits, ended, days, {**names, "mode": one.value})


def _share(measure_: str, hits: int, count: int, days: int, names: dict[str, str]) -> Figure:
    return Figure.of(wilson(hits, count), measure=measure_, n=count, days=days, **names)
