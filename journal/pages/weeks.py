"""A week as its page shows it: a walk through what ended, then what it adds up to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from journal.pages.course import bounds_text
from journal.pages.verdict import PHASES

if TYPE_CHECKING:
    from journal.queries import Week


def describe_week(found: Week, *, today: dt.date) -> dict[str, Any]:
    """Say what ended in a week, what waits for its review, and the sum of those that closed."""
    rows = [
        {
            "plan": one.plan,
            "phase": PHASES.get(one.phase, one.phase),
            "result": "no result" if one.low is None or one.high is None else bounds_text(one.low, one.high),
            "review": review,
        }
        for one, review in found.ended
    ]
    closed = [one for one, _ in found.ended if one.low is not None]
    after = found.monday + dt.timedelta(days=7)
    return {
        "monday": found.monday,
        "sunday": after - dt.timedelta(days=1),
        "before": (found.monday - dt.timedelta(days=7)).isoformat(),
        "after": after.isoformat() if after <= today else "",
        "rows": rows,
        "next": next((row for row in rows if row["review"] is None), None),
        "reviewed": sum(row["review"] is not None for row in rows),
        "closed": len(closed),
        "won": sum((one.low or 0.0) > 0 for one in closed),
        "sum": bounds_text(sum(one.low or 0.0 for one in closed), sum(one.high or 0.0 for one in closed)),
        "mistakes": sorted({word for _, review in found.ended if review for word in review.words.mistakes}),
    }
