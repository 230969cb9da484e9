"""The virtual time of the venues: it runs, or a test moves it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

FOREVER: Final = 1 << 52


@dataclass
class Clock:
    """A clock that starts at ``start_ms`` when it is made and runs ``speed`` times as fast as the wall's to its end."""

    start_ms: int
    speed: float = 1.0
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    end_ms: int = FOREVER

    def now_ms(self) -> int:
        """Return the virtual time [ms since the epoch]."""
        return min(self.start_ms + int((time.monotonic() - self.started) * 1000 * self.speed), self.end_ms)


@dataclass
class ManualClock:
    """A clock that stands until a test moves it."""

    at_ms: int
    speed: float = 1.0

    def now_ms(self) -> int:
        """Return the virtual time [ms since the epoch]."""
        return self.at_ms

    def advance(self, *, ms: int = 0, seconds: float = 0, minutes: float = 0) -> int:
        """Move on, and return the new time."""
        self.at_ms += ms + round(seconds * 1000 + minutes * 60_000)
        return self.at_ms


AnyClock = Clock | ManualClock
