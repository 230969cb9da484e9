"""Journals that came from elsewhere, as their pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.pages.words import DASH
from market.series import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from journal.imports.own import Part

_COUNTS: Final = {
    "plans": "Locked plans, to read", "entries": "Entries of their chains", "drafts": "Drafts", "fills": "Fills",
    "trades": "Trades that a venue summed up", "reviews": "Reviews of trades", "weeks": "Notes on weeks",
    "known": "Here before", "refused": "Refused",
}  # fmt: skip


def describe_counts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Name what comes in, in order."""
    return [(title, counts.get(name, 0)) for name, title in _COUNTS.items()]


def describe_parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Return each chain with its plans: what they were, how they ended, what was learnt."""
    return [
        {
            "count": len(part["entries"]),
            "sha256": part["entries"][-1]["sha256"],
            "plans": [_plan(row, part) for row in part["plans"]],
        }
        for part in parts
    ]


def _plan(row: Mapping[str, Any], part: Part) -> dict[str, Any]:
    number = row["number"]
    ends = [event for event in part["events"] if event.get("plan") == number]
    review = next((one for one in part["reviews"] if one.get("plan") == number), {})
    return {
        "label": f"P-{number}",
        "armed_at": moment(row["armed_at_ms"]),
        "instrument": row.get("instrument") or DASH,
        "direction": row.get("direction"),
        "entry": row.get("entry") or DASH,
        "thesis": row.get("thesis"),
        "last": ends[-1].get("kind") if ends else DASH,
        "lesson": review.get("lesson") or DASH,
    }
