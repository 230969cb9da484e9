"""The chain of an owner's entries: how a link is spelled, and whether all of them still hold together."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib.auth import get_user_model

from journal.models import JournalEntry, Plan
from journal.queries.plans import is_intact
from market.canonical import digest
from market.series import epoch_ms

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

LINK_SCHEMA: Final = "bh-journal-entry-1"
_BATCH: Final = 2000


class Link(NamedTuple):
    """An entry as its chain spells it; ``plan`` is the plan's number."""

    number: int
    kind: str
    plan: int
    at: dt.datetime
    content_sha256: str
    previous_sha256: str

    def digest(self) -> str:
        """SHA-256 of the link's canonical JSON."""
        return digest({
            "schema": LINK_SCHEMA, "number": self.number, "kind": self.kind, "plan": self.plan,
            "at_ms": epoch_ms(self.at), "content_sha256": self.content_sha256, "previous_sha256": self.previous_sha256,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold: whose chain, which entry or plan, and what is wrong with it."""

    owner_id: int
    place: str
    sentence: str


def list_owner_ids(*, email: str | None = None) -> list[int]:
    """Return the ids of all accounts, or of the one with this address."""
    users = get_user_model()._base_manager.order_by("pk")  # noqa: SLF001  # no other door
    return list((users.filter(email__iexact=email) if email else users).values_list("pk", flat=True))


def list_entries(*, owner_id: int, plan_id: int | None = None) -> list[JournalEntry]:
    """Return an owner's entries in order, of one plan or all."""
    entries = JournalEntry.objects.owned_by(owner_id).select_related("plan").order_by("number")
    return list(entries if plan_id is None else entries.filter(plan_id=plan_id))


def entries_of_plan(*, owner_id: int, number: int) -> list[JournalEntry]:
    """Return what was done with the owner's plan of a number; raises Plan.DoesNotExist for any other."""
    plan = Plan.objects.owned_by(owner_id).only("pk").get(number=number)
    return list_entries(owner_id=owner_id, plan_id=plan.pk)


def find_cancelled(*, owner_id: int, plan_ids: Iterable[int]) -> set[int]:
    """Return which of the owner's plans their author cancelled."""
    said = JournalEntry.objects.owned_by(owner_id).filter(plan_id__in=plan_ids, kind=JournalEntry.Kind.CANCELLED)
    return set(said.values_list("plan_id", flat=True))


def verify_chain(*, owner_id: int) -> tuple[int, list[Finding]]:
    """Return how many entries an owner's chain has, and what does not hold.

    Each entry follows the one before without a gap, its hashes are those of what it says, and every armed plan is what
    its last arming says, with its evidence.
    """
    findings: list[Finding] = []
    armed: dict[int, str] = {}
    count, previous = 0, ""
    for row in _rows(owner_id):
        count += 1
        place = f"entry {count}"
        findings += [Finding(owner_id, place, sentence) for sentence in _faults(row, count, previous)]
        previous = row["sha256"]
        if row["kind"] == JournalEntry.Kind.ARMED:
            armed[row["plan_id"]] = row["content_sha256"]
        elif row["kind"] == JournalEntry.Kind.UNDONE:
            armed.pop(row["plan_id"], None)
    return count, findings + list(_plan_faults(owner_id, armed))


def _rows(owner_id: int) -> Iterator[dict[str, Any]]:
    names = (
        "number",
        "kind",
        "plan_id",
        "plan__number",
        "at",
        "content",
        "content_sha256",
        "previous_sha256",
        "sha256",
    )
    entries = JournalEntry.objects.owned_by(owner_id).order_by("number")
    rows: Iterator[dict[str, Any]] = entries.values(*names).iterator(_BATCH)
    return rows


def _faults(row: dict[str, Any], number: int, previous: str) -> Iterator[str]:
    if row["number"] != number:
        yield f"it has the number {row['number']}: an entry is missing or was put in"
    if row["previous_sha256"] != previous:
        yield "it does not follow the entry before"
    if sha256(row["content"].encode()).hexdigest() != row["content_sha256"]:
        yield "what it says has another hash"
    link = Link(number, row["kind"], row["plan__number"], row["at"], row["content_sha256"], row["previous_sha256"])
    if link.digest() != row["sha256"]:
        yield "the link has another hash"


def _plan_faults(owner_id: int, armed: dict[int, str]) -> Iterator[Finding]:
    plans = Plan.objects.owned_by(owner_id).exclude(armed_at=None).order_by("number")
    for plan in plans.iterator(_BATCH):
        said = armed.pop(plan.pk, None)
        if not is_intact(plan=plan):
            yield Finding(owner_id, plan.label, "the plan is not what was armed")
        if said is not None and said != plan.evidence_sha256:
            yield Finding(owner_id, plan.label, "its evidence is not what the chain says")
        if said is None and (plan.evidence or {}).get("schema") != "bh-plan-evidence-1":
            yield Finding(owner_id, plan.label, "no entry says that it was armed")
    for plan_id in armed:
        yield Finding(owner_id, f"plan row {plan_id}", "the chain says that it is armed, and it is not")
