"""A clock that runs apart from the machine's, for a market that is replayed: everything that asks the time asks here.

Leases, budgets and back-offs go by the database's clock and stay in wall time; the venues'
budgets are as many times larger.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

_FORM = re.compile(r"(?P<start>\S+)@(?P<since>[0-9]+(\.[0-9]+)?)x(?P<speed>[0-9]+(\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Clock:
    """Showed ``start`` when the machine's clock showed ``since`` [s], and runs ``speed`` times as fast."""

    start: dt.datetime
    since: float
    speed: float

    def now(self) -> dt.datetime:
        """Return the time."""
        return self.start + dt.timedelta(seconds=(time.time() - self.since) * self.speed)


def read(text: str) -> Clock | None:
    """Read ``START@SECONDSxSPEED``, None of nothing; raise ImproperlyConfigured."""
    if not text:
        return None
    found = _FORM.fullmatch(text)
    try:
        start = dt.datetime.fromisoformat(found["start"]) if found else None
    except ValueError:
        start = None
    if found is None or start is None or start.tzinfo is None or float(found["speed"]) <= 0:
        raise ImproperlyConfigured(
            f"BH_CLOCK must look like 2025-12-01T00:00:00+00:00@1764547200x60, not {text!r}; `venue_double` prints it."
        )
    return Clock(start, float(found["since"]), float(found["speed"]))


def follow(clock: Clock | None) -> None:
    """Let all of the program go by this clock."""
    if clock is not None:
        timezone.now = clock.now
