"""Zones: clusters recognised from slice to slice, each with a life told by the ledger of its contracts.

Everything here depends on columns up to now alone and on no counter that a restart would lose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from . import clusters
from .clusters import ALLOCATED, Cluster, Column, find_clusters, meets, overlap
from .ledger import kept_of, swept_of
from .tracked import Cause, Event, Kind, State, Tracked, dump, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SLICE_MS: Final = 3_600_000
STEP_MS: Final = 300_000
# Slices without its cluster that end a zone; slices with it until it is no longer forming.
MISSING_LIMIT: Final = 12
FORMING: Final = 6
# What closing leaves, as a share of the peak, when a zone ends; what a sweep has taken when it is partly swept or over.
FADE: Final = 0.5
PARTLY: Final = 0.2
SWEPT: Final = 0.8
# Approached: a driftless walk of the last day's volatility touches within so many steps with this chance, and no longer
# approached below that. Reflection principle: chance = 2 (1 - Phi(distance / sigma)).
APPROACH_STEPS: Final = 48
APPROACH_SIGMAS: Final = (0.67449, 0.93459)
VOLATILITY_STEPS: Final = 288
# An estimate is noted again once it is off by more than this: about what a tile rounds.
NOTE: Final = 0.025

# As they are frozen with an estimator's parameters: another value makes other zones.
# Those of version 1 of the estimator, whose zones were followed by their shape alone.
FIRST_PARAMETERS: Final = {
    "slice_ms": SLICE_MS,
    "sigma_bins": 3.0,
    "contrast": 1.15,
    "reach": 0.15,
    "least_peak": 0.25,
    "overlap": 0.2,
    "allocated": 0.9,
    "missing_limit": 6,
    "fade": 0.5,
}
PARAMETERS: Final = {
    "rules": 2,
    "slice_ms": SLICE_MS,
    **clusters.PARAMETERS,
    "missing_limit": MISSING_LIMIT,
    "forming": FORMING,
    "fade": FADE,
    "partly_swept": PARTLY,
    "swept": SWEPT,
    "approach_steps": APPROACH_STEPS,
    "approach_sigmas": list(APPROACH_SIGMAS),
    "volatility_steps": VOLATILITY_STEPS,
    "note": NOTE,
}


@dataclass(slots=True)
class Tracker:
    """The zones alive, the column before, and the clusters of the slice before, which confirm new ones.

    width: of a bin in ln(price); variance: of a step [bins squared], None before the first; walk: the standard
    deviation of APPROACH_STEPS at the column that is taken in [bins].
    """

    width: float
    alive: list[Tracked] = field(default_factory=list)
    next_key: int = 1
    slice_before: tuple[Cluster, ...] = ()
    slice_ms: int = 0
    variance: float | None = None
    before: Column | None = None
    walk: float = 0.0

    def step(self, column: Column) -> list[Event]:
        """Take in the next column; return what is to be told, in order of the zones' keys, newborn ones last."""
        self._feel(column)
        is_slice = column.end_ms % SLICE_MS == 0
        told = [(zone.state, zone.tested_ms) for zone in self.alive]
        kept = {side: kept_of(side, self.before, column) for side in (1, -1)} if self.before else {}
        for zone in self.alive:
            self._follow(zone, column, kept[zone.cluster.side])
        born = self._look(column) if is_slice else []
        pairs = zip(self.alive, told, strict=True)
        news = [pair for pair in pairs if is_slice or pair[1] != (pair[0].state, pair[0].tested_ms)]
        events = [event for zone, before in news if (event := _tell(zone, column, before))]
        events += [zone.tell(Kind.FORMED, column) for zone in born]
        if born or any(event.cause for event in events):
            self.alive = [zone for zone in self.alive if not zone.is_over] + born
        self.before = column
        return events

    def dump(self) -> dict[str, Any]:
        """All of it but the column before, as values that JSON keeps to the bit."""
        return {
            "alive": [dump(zone) for zone in self.alive],
            "next_key": self.next_key,
            "slice_before": [list(cluster) for cluster in self.slice_before],
            "slice_ms": self.slice_ms,
            "variance": self.variance,
            "before_ms": self.before.end_ms if self.before else None,
        }

    @classmethod
    def load(cls, dumped: Mapping[str, Any], *, width: float, before: Column | None) -> Tracker:
        """Undo ``dump``; ``before`` is the column that ended at ``before_ms``, as it is known now."""
        alive = [load(zone) for zone in dumped["alive"]]
        if before is not None:
            for zone in alive:
                zone.correct(before.between(*zone.band))
        return cls(
            width=width,
            alive=alive,
            next_key=dumped["next_key"],
            slice_before=tuple(Cluster(*values) for values in dumped["slice_before"]),
            slice_ms=dumped["slice_ms"],
            variance=dumped["variance"],
            before=before,
        )

    def _feel(self, column: Column) -> None:
        """Mean variance of a step over about a day (Parkinson 1980), halved in weight every VOLATILITY_STEPS."""
        steps = (column.end_ms - self.before.end_ms) / STEP_MS if self.before else 1.0
        seen = (column.high - column.low) ** 2 / (4.0 * math.log(2.0)) / steps
        weight = 0.5 ** (steps / VOLATILITY_STEPS)
        self.variance = seen if self.variance is None else weight * self.variance + (1.0 - weight) * seen
        self.walk = math.sqrt(APPROACH_STEPS * self.variance)

    def _follow(self, zone: Tracked, column: Column, kept: float | None) -> None:
        """Book what happened in the band, and see where that leaves the zone."""
        assert self.before is not None
        side, band = zone.cluster.side, zone.band
        now, is_reached = column.between(*band), column.reaches(side, *band)
        swept = swept_of(side, band, self.before, column) if is_reached else 0.0
        zone.flows.book(zone.usd, now, swept, kept=kept)
        zone.usd, zone.eaten = now, zone.eaten + swept
        if now >= zone.usd_peak:
            zone.usd_peak, zone.eaten = now, 0.0
        self._judge(zone, column, is_reached=is_reached)

    def _judge(self, zone: Tracked, column: Column, *, is_reached: bool) -> None:
        touched, through = _reached(zone.cluster, column) if is_reached else (False, False)
        if touched and zone.tested_ms is None:
            zone.tested_ms = column.end_ms
        if through:
            zone.end(State.SWEPT, Cause.THROUGH)
        elif zone.eaten >= SWEPT * zone.usd_peak:
            zone.end(State.SWEPT, Cause.EATEN)
        elif zone.usd < FADE * (zone.usd_peak - zone.eaten) and not column.is_partial:
            zone.end(State.EXPIRED, Cause.CLOSED)
        elif zone.eaten >= PARTLY * zone.usd_peak:
            zone.state = State.PARTLY_SWEPT
        elif self._is_near(zone, column):
            zone.state = State.APPROACHED
        else:
            zone.state = State.FORMING if zone.slices < FORMING else State.ACTIVE

    def _is_near(self, zone: Tracked, column: Column) -> bool:
        cluster = zone.cluster
        away = column.close - cluster.high if cluster.side == 1 else cluster.low - column.close
        return away <= APPROACH_SIGMAS[zone.state is State.APPROACHED] * self.walk

    def _look(self, column: Column) -> list[Tracked]:
        """Recognise the clusters of a slice; return the newborn zones."""
        found, weak = find_clusters(column, self.width)
        living = [zone for zone in self.alive if not zone.is_over]
        seen = {key: found[index] for key, index in _match(living, found).items()}
        lost = [zone for zone in living if zone.key not in seen]
        if lost:
            taken = list(seen.values())
            free = [one for one in weak if not meets(one, taken)]
            seen |= {key: free[index] for key, index in _match(lost, free).items()}
        if not column.is_partial:
            for zone in lost:
                if zone.key not in seen:
                    _miss(zone, living, seen)
        _draw([zone for zone in living if not zone.is_over], seen, column)
        known = self.slice_before if self.slice_ms == column.end_ms - SLICE_MS else ()
        self.slice_before, self.slice_ms = found, column.end_ms
        if column.allocated < ALLOCATED:
            return []
        held, recognised = [zone.cluster for zone in living if not zone.is_over], set(seen.values())
        free = [one for one in found if one not in recognised and meets(one, known) and not meets(one, held)]
        return [self._bear(one, held, column) for one in free]

    def _bear(self, cluster: Cluster, held: Sequence[Cluster], column: Column) -> Tracked:
        cluster = _fit(cluster, held, column) or cluster
        zone = Tracked(self.next_key, cluster, cluster.usd, cluster.usd, column.end_ms)
        self.next_key += 1
        return zone


def _match(zones: Sequence[Tracked], found: Sequence[Cluster]) -> dict[int, int]:
    """Clusters' places by zones' keys: best overlap first, then the larger zone, then the older; no tie is left."""
    # Asked often, and most do not meet: edges first.
    places = [(index, cluster.low, cluster.high) for index, cluster in enumerate(found)]
    pairs = [
        (-share, -zone.usd, zone.key, index)
        for zone in zones
        for index, low, high in places
        if low < zone.cluster.high
        and zone.cluster.low < high
        and (share := overlap(zone.cluster, found[index])) > clusters.OVERLAP
    ]
    seen: dict[int, int] = {}
    for *_, key, index in sorted(pairs):
        if key not in seen and index not in seen.values():
            seen[key] = index
    return seen


def _miss(zone: Tracked, living: Sequence[Tracked], seen: Mapping[int, Cluster]) -> None:
    """A slice without its cluster; after some, it has become part of whatever covers it, or is level ground."""
    zone.missing += 1
    if zone.missing < MISSING_LIMIT:
        return
    covering = [one for one in living if one.key in seen and overlap(seen[one.key], zone.cluster) > clusters.OVERLAP]
    if covering:
        into = max(covering, key=lambda one: (overlap(seen[one.key], zone.cluster), one.usd, -one.key))
        zone.end(State.MERGED, Cause.JOINED, into.key)
        into.other = zone.key
    else:
        zone.end(State.EXPIRED, Cause.LEVELLED)


def _draw(living: Sequence[Tracked], seen: Mapping[int, Cluster], column: Column) -> None:
    """Draw the bands of the zones that were seen anew, none over another's.

    Once price has eaten from a band it stays as it is: what is left would look like another cluster.
    """
    beside = {side: [zone for zone in living if zone.cluster.side == side] for side in (1, -1)}
    for zone in living:
        if zone.key in seen:
            zone.missing, zone.slices = 0, zone.slices + 1
            others = [one.cluster for one in beside[zone.cluster.side] if one is not zone]
            cluster = _fit(seen[zone.key], others, column)
            if cluster is not None and zone.state is not State.PARTLY_SWEPT:
                zone.draw(cluster, cluster.usd)


def _fit(cluster: Cluster, others: Sequence[Cluster], column: Column) -> Cluster | None:
    """A cluster cut where others' bands begin; None where its peak is in one of them."""
    low, high = cluster.low, cluster.high
    for other in others:
        if other.side == cluster.side and other.low < high and low < other.high:
            if other.low <= cluster.peak < other.high:
                return None
            low, high = (other.high, high) if other.high <= cluster.peak else (low, other.low)
    if (low, high) == (cluster.low, cluster.high):
        return cluster
    return cluster._replace(low=low, high=high, usd=column.between(low, high))


def _reached(held: Cluster, column: Column) -> tuple[bool, bool]:
    """Whether the step's prices were in the band, and whether all of it was swept."""
    low, high = column.swept or (column.low, column.high)
    if held.side == 1:
        return column.low <= held.high - 0.5, low <= held.low + 0.5
    return column.high >= held.low + 0.5, high >= held.high - 0.5


def _tell(zone: Tracked, column: Column, before: tuple[State, int | None]) -> Event | None:
    """What is to be told of a zone at the end of a column, given its state and first touch before it."""
    if zone.is_over:
        return zone.tell(Kind.ENDED, column)
    if zone.state is not before[0]:
        return zone.tell(Kind.STATE, column)
    if zone.tested_ms != before[1]:
        return zone.tell(Kind.TOUCHED, column)
    if zone.other is not None:
        return zone.tell(Kind.ABSORBED, column)
    if column.end_ms % SLICE_MS:
        return None
    low, high, usd = zone.noted
    is_off = zone.band != (low, high) or abs(zone.usd - usd) > NOTE * usd
    return zone.tell(Kind.CHANGED, column) if is_off else None
