"""A state as plain JSON and back, so that a judgement goes on where it stopped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .branch import Branch, Phase
from .scanning import State

_DECIMALS = ("stop", "entry", "left", "made")
_PLAIN = ("name", "taken", "is_touched", "is_confirmed", "opened_ms", "closed_ms")
# States that were kept before there were confirmations.
_BEFORE = {"is_confirmed": True}


def to_plain(state: State) -> dict[str, Any]:
    """Write a state as JSON-able values, decimals as strings."""
    return {
        "through_ms": state.through_ms,
        "last": _text(state.last),
        "has_gap": state.has_gap,
        "is_primed": state.is_primed,
        "branches": [
            {"phase": branch.phase.value}
            | {name: _text(getattr(branch, name)) for name in _DECIMALS}
            | {name: getattr(branch, name) for name in _PLAIN}
            for branch in state.branches
        ],
    }


def from_plain(kept: dict[str, Any]) -> State:
    """Undo ``to_plain``."""
    branches = tuple(
        Branch(
            phase=Phase(row["phase"]),
            **{name: _number(row[name]) for name in _DECIMALS},  # type: ignore[arg-type]  # only the entry may be None
            **{name: (_BEFORE | row)[name] for name in _PLAIN},
        )
        for row in kept["branches"]
    )
    return State(branches, kept["through_ms"], _number(kept["last"]), kept["has_gap"], kept.get("is_primed", False))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
