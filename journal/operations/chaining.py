"""Add entries to an owner's chain."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.db import connection

from journal.models import JournalEntry
from journal.queries.chain import Link
from market.canonical import canonical_json

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from journal.models import Plan

# The first half of the advisory lock of a chain; the second is its owner.
_CHAIN_LOCK: Final = 0x424854


def database_clock() -> dt.datetime:
    """Return the database's time to the millisecond."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('milliseconds', clock_timestamp())")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


def lock_chain(owner_id: int) -> None:
    """Let one writer at a time add to an owner's chain, until the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CHAIN_LOCK, owner_id % 2**31])


def add_entry(  # noqa: PLR0913  # an entry has this many parts, each by name
    *, plan: Plan, kind: str, at: dt.datetime, content: Mapping[str, object], note: str = "", salt: str = ""
) -> JournalEntry:
    """Add what was done with a plan at the end of its owner's chain; the caller holds ``lock_chain``."""
    last = JournalEntry.objects.owned_by(plan.owner_id).order_by("-number").first()
    entry = next_entry(
        plan=plan, kind=kind, at=at, content=content, after=(last.number, last.sha256) if last else (0, "")
    )
    entry.note, entry.salt = note, salt
    entry.save(force_insert=True)
    return entry


def next_entry(
    *, plan: Plan, kind: str, at: dt.datetime, content: Mapping[str, object], after: tuple[int, str]
) -> JournalEntry:
    """Return the entry that follows the one with ``after``'s number and hash, not stored yet."""
    said = canonical_json(dict(content))
    link = Link(after[0] + 1, kind, plan.number, at, sha256(said).hexdigest(), after[1])
    return JournalEntry(
        owner_id=plan.owner_id,
        number=link.number,
        plan=plan,
        kind=kind,
        at=at,
        content=said.decode(),
        content_sha256=link.content_sha256,
        previous_sha256=link.previous_sha256,
        sha256=link.digest(),
    )
