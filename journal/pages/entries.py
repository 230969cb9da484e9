"""What was done with a plan, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from journal.models import JournalEntry
from journal.pages.words import number_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Done:
    """One entry: when, what, how much, words, remarks, and the start of its hash."""

    at: dt.datetime
    title: str
    amount: str
    note: str
    remarks: tuple[str, ...]
    sha256: str


def describe_entries(entries: Sequence[JournalEntry], digits: int) -> list[Done]:
    """Say what was done."""
    return [_done(entry, digits) for entry in entries]


def _done(entry: JournalEntry, digits: int) -> Done:
    said = json.loads(entry.content)
    amount = number_text(said["price"], digits) if said.get("price") else ""
    if said.get("share_pct"):
        amount = f"{said['share_pct']} %"
    remarks = [
        sentence
        for name, sentence in (
            ("is_risk_increasing", "risks more"),
            ("is_after_outcome", "after the outcome"),
            ("is_hindsight", "the price had moved"),
        )
        if said.get(name)
    ]
    return Done(entry.at, entry.get_kind_display(), amount, entry.note, tuple(remarks), entry.sha256)


def is_cancelled(entries: Sequence[JournalEntry]) -> bool:
    """Whether the author cancelled the plan."""
    return any(entry.kind == JournalEntry.Kind.CANCELLED for entry in entries)
