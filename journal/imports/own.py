"""The product's own export, read back: its chains verified as ``docs/verify_export.py`` does, nothing believed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from market.canonical import InexactError, canonical_json, digest

from .tables import MOST_BYTES
from .terms import FileRefusedError

SCHEMAS: Final = ("bh-journal-export-2", "bh-journal-export-3")
_LINK: Final = "bh-journal-entry-1"
# What an export says of a plan beside its terms.
_ABOUT: Final = frozenset({"zone", "zone_born_at_ms", "instrument", "armed_at_ms"})
# What no moment lies beyond: in the year 2286.
_LAST_MS: Final = 10**13
_MATCH: Final = ("venue", "symbol", "key", "plan", "matched")

Row = dict[str, Any]
# Plans that are locked, their chain, what happened to them, their reviews and trades.
Part = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Moved:
    """An export: its chains, the newest last, and what is not locked. unproven: armed plans that no chain knows."""

    parts: tuple[Part, ...]
    drafts: tuple[Row, ...]
    fills: tuple[Row, ...]
    trades: tuple[Row, ...]
    reviews: tuple[Row, ...]
    weeks: tuple[Row, ...]
    unproven: tuple[str, ...]


def read_own(content: bytes) -> Moved:
    """Return what an export holds; raises FileRefusedError for what is none, or does not hold together."""
    document = _document(content)
    own = locked_of(document)
    unproven = _require_whole(own)
    parts = [_part(one) for one in document.get("imported", [])]
    for part in parts:
        _require_whole(part)
    return Moved(
        parts=tuple([*parts, own] if own["entries"] else parts),
        drafts=tuple(row for row in document["plans"] if row.get("armed_at_ms") is None),
        fills=tuple(document["fills"]),
        trades=tuple(document["trades"]),
        reviews=tuple(row for row in document["reviews"] if row.get("plan") is None),
        weeks=tuple(document.get("week_notes", ())),
        unproven=tuple(unproven),
    )


def locked_of(document: Row) -> Part:
    """Return an export's own chain with all that is locked by it, free of the ids of rows."""
    plans = [row for row in document["plans"] if row.get("armed_at_ms") is not None]
    reviews = [row for row in document["reviews"] if row.get("plan") is not None]
    return {
        "plans": plans,
        "events": document["events"],
        "entries": document["entries"],
        "reviews": [{name: value for name, value in row.items() if name not in {"id", "trade"}} for row in reviews],
        "matches": [
            {name: row.get(name) for name in _MATCH} for row in document["trades"] if row.get("plan") is not None
        ],
    }


def _document(content: bytes) -> Row:
    if len(content) > MOST_BYTES:
        raise FileRefusedError(f"The file has over {MOST_BYTES // 1024 // 1024} MB: no export of a journal is so big.")
    try:
        read = json.loads(content.decode("utf-8-sig"))
        spelled = canonical_json(read)
    except InexactError as error:
        raise FileRefusedError(f"An export does not hold such a value: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FileRefusedError("This is no JSON. Send the file journal.json as it was exported.") from error
    if not isinstance(read, dict) or read.get("schema") not in SCHEMAS:
        raise FileRefusedError("This is no export of a journal. Send the file journal.json as it was exported.")
    if b"\\u0000" in spelled:
        raise FileRefusedError("The file holds NUL characters, which no export does.")
    # Exports from before there were notes on weeks have none.
    weeks = ("week_notes",) if "week_notes" in read else ()
    _require_rows(read, ("plans", "events", "entries", "fills", "trades", "reviews", *weeks))
    return read


def _part(read: Any) -> Part:  # noqa: ANN401  # what a file holds
    names = ("plans", "events", "entries", "reviews", "matches")
    if not isinstance(read, dict):
        raise FileRefusedError("An imported journal in the file is not as an export writes it.")
    _require_rows(read, names)
    return {name: read[name] for name in names}


def _require_rows(read: Row, names: tuple[str, ...]) -> None:
    for name in names:
        rows = read.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FileRefusedError(f"The file has no list of {name}: it is cut off, or was changed.")


def _require_whole(part: Part) -> list[str]:
    """Verify a chain and the plans that it locks; return plans that it does not know."""
    armed: dict[int, Row] = {}
    previous = ""
    for number, entry in enumerate(part["entries"], start=1):
        try:
            said = _said(entry, number, previous)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileRefusedError(f"Entry {number} of the chain does not hold together: {error}.") from error
        previous, link = entry["sha256"], entry["link"]
        if link["kind"] == "armed":
            armed[link["plan"]] = said
        elif link["kind"] == "undone":
            armed.pop(link["plan"], None)
    return _require_armed(part["plans"], armed)


def _require_armed(plans: list[Row], armed: dict[int, Row]) -> list[str]:
    """Hold locked plans to what their chain says was armed; return those that it does not know."""
    unproven = []
    for plan in plans:
        named = plan.get("number")
        if not isinstance(named, int):
            raise FileRefusedError("A plan in the file has no number: it was changed.")
        label, evidence = f"P-{named}", armed.pop(named, None)
        if evidence is None:
            unproven.append(f"{label}: no entry of the chain says that it was armed.")
        elif not _is_as_armed(plan, evidence):
            raise FileRefusedError(f"{label} is not what its chain says was armed: the file was changed.")
    if armed:
        raise FileRefusedError(f"The chain says that P-{min(armed)} is armed, and the file does not hold it.")
    return unproven


def _said(entry: Row, number: int, previous: str) -> Row:
    """Return what an entry says, once its hashes agree; raises ValueError."""
    link, content = entry["link"], entry["content"]
    if not (isinstance(link["plan"], int) and isinstance(link["at_ms"], int) and 0 <= link["at_ms"] < _LAST_MS):
        raise ValueError("it names no plan or no moment")
    if (link["schema"], link["number"], link["previous_sha256"]) != (_LINK, number, previous):
        raise ValueError("it does not follow the one before")
    if sha256(content.encode()).hexdigest() != link["content_sha256"]:
        raise ValueError("what it says has another hash")
    if digest(link) != entry["sha256"]:
        raise ValueError("the link has another hash")
    said: Row = json.loads(content)
    if entry["note"] and sha256((entry["salt"] + entry["note"]).encode()).hexdigest() != said.get("note_sha256"):
        raise ValueError("its note has another hash")
    if link["kind"] == "armed" and said["armed_at_ms"] != link["at_ms"]:
        raise ValueError("its evidence is of another moment")
    return said


def _is_as_armed(plan: Row, evidence: Row) -> bool:
    terms = {name: value for name, value in plan.items() if name not in _ABOUT}
    return (terms, plan["armed_at_ms"]) == (evidence.get("plan"), evidence["armed_at_ms"])
