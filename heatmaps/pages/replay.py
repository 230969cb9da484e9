"""As of when a page is told: now, or an earlier moment of which nothing later may be known."""

from __future__ import annotations

import datetime as dt
from typing import Final

from market.series import STEP_MS, epoch_ms, moment

# Five minutes: what is known changes with the end of a step.
STEP: Final = dt.timedelta(milliseconds=STEP_MS)


def known_at(*, at: dt.datetime | None, newest: dt.datetime | None) -> dt.datetime | None:
    """Return the end of the last step that was over ``at`` a moment; None where that is now."""
    if at is None or newest is None:
        return None
    asked = epoch_ms(at) // STEP_MS * STEP_MS
    return moment(asked) if asked < epoch_ms(newest) else None
