"""A zone as it is followed, its states, and what is told of it."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from .clusters import Cluster
from .ledger import Flows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .clusters import Column


class State(Enum):
    """Where in its life a zone is."""

    FORMING = "forming"
    ACTIVE = "active"
    APPROACHED = "approached"
    PARTLY_SWEPT = "partly_swept"
    SWEPT = "swept"
    EXPIRED = "expired"
    MERGED = "merged"

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after it."""
        return self is State.SWEPT or self is State.EXPIRED or self is State.MERGED


class Cause(Enum):
    """What ended a zone, by the ledger."""

    THROUGH = "through"  # price traded through all of the band
    EATEN = "eaten"  # price took most of it
    CLOSED = "closed"  # closing left less than half
    LEVELLED = "levelled"  # what it holds is there, but no longer stands out
    JOINED = "joined"  # it is part of another zone now


class Kind(Enum):
    """What an event tells."""

    FORMED = "formed"
    CHANGED = "changed"  # the estimate or the band, at a slice
    STATE = "state"
    TOUCHED = "touched"
    ABSORBED = "absorbed"  # another zone became part of it
    ENDED = "ended"


@dataclass(slots=True)
class Tracked:
    """A zone as it is followed: its band, what the band holds now and held at most [USD]; times in ms.

    usd_peak: of the band as it is drawn now, scaled where that changed; eaten: swept since that peak; flows: since it
    formed; noted: (low, high, usd) as told last; told: events so far.
    """

    key: int
    cluster: Cluster
    usd: float
    usd_peak: float
    born_ms: int
    state: State = State.FORMING
    eaten: float = 0.0
    slices: int = 1
    missing: int = 0
    tested_ms: int | None = None
    cause: Cause | None = None
    other: int | None = None
    flows: Flows = field(default_factory=Flows)
    noted: tuple[int, int, float] = (0, 0, 0.0)
    told: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing comes after it; what is over has a cause."""
        return self.cause is not None

    @property
    def band(self) -> tuple[int, int]:
        """Its bins [low, high)."""
        return self.cluster.low, self.cluster.high

    def draw(self, cluster: Cluster, usd: float) -> None:
        """Draw the band anew: what was beyond the old edges comes in, what is beyond the new ones goes."""
        scale = usd / self.usd if self.usd > 0.0 else 1.0
        self.flows.moved += usd - self.usd
        self.eaten *= scale
        self.cluster, self.usd, self.usd_peak = cluster, usd, max(self.usd_peak * scale, usd)

    def correct(self, usd: float) -> None:
        """Take in that the band held another amount all along, since older data were corrected."""
        self.flows.moved += usd - self.usd
        self.usd = usd

    def end(self, state: State, cause: Cause, other: int | None = None) -> None:
        """It is over."""
        self.state, self.cause, self.other = state, cause, other

    def tell(self, kind: Kind, column: Column) -> Event:
        """Say how it is at the end of a column."""
        other, self.other = self.other, None
        self.noted, self.told = (*self.band, self.usd), self.told + 1
        return Event(
            kind=kind, at_ms=column.end_ms, key=self.key, number=self.told, cluster=self.cluster, close=column.close,
            state=self.state, cause=self.cause, other=other, tested_ms=self.tested_ms, usd=self.usd,
            usd_peak=self.usd_peak, flows=self.flows.copy(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """What is told of a zone at the end of a column: how it is now, with the flows since it formed.

    number: counts a zone's events; close: the price as a bin coordinate.
    """

    kind: Kind
    at_ms: int
    key: int
    number: int
    cluster: Cluster
    close: float
    state: State
    cause: Cause | None
    other: int | None
    tested_ms: int | None
    usd: float
    usd_peak: float
    flows: Flows


def dump(zone: Tracked) -> dict[str, Any]:
    """A zone as values that JSON keeps to the bit."""
    return {
        name: astuple(value) if isinstance(value, Flows) else value.value if isinstance(value, Enum) else value
        for name in Tracked.__dataclass_fields__
        for value in (getattr(zone, name),)
    }


def load(dumped: Mapping[str, Any]) -> Tracked:
    """Undo ``dump``."""
    made = {
        "cluster": Cluster(*dumped["cluster"]),
        "state": State(dumped["state"]),
        "flows": Flows(*dumped["flows"]),
        "noted": tuple(dumped["noted"]),
    }
    return Tracked(**{**dumped, **made})
