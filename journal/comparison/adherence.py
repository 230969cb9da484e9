"""How far a trade kept to its plan, 0 to 100. Profit and loss are not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

ONE, HALF, ZERO = Decimal(1), Decimal("0.5"), Decimal(0)
WEIGHTS = {"plan": 20, "entry": 20, "size": 20, "stop": 20, "widening": 10, "exit": 10}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score. share: how much of its weight was kept, 0 to 1; None: not known, so it is left out."""

    name: str
    weight: int
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class Adherence:
    """The score of what is known [0..100] and its parts; None where nothing is known."""

    score: Decimal | None
    parts: tuple[Part, ...]


def adherence(  # noqa: PLR0913  # the parts, each by name
    *,
    had_plan: bool,
    chase: Decimal | None,
    size_ratio: Decimal | None,
    beyond_stop: Decimal | None,
    widened: bool | None,
    exit_by_rule: bool | None,
) -> Adherence:
    """Return how far a trade kept to its plan.

    chase: entry beyond the planned one; beyond_stop: how far beyond the stop the worst exit lay, at most 0 if none
    did [planned R before costs, either]; size_ratio: own size over planned; widened: the stop was moved away;
    exit_by_rule: the last exit was one that the plan names.
    """
    shares = {
        "plan": Decimal(had_plan),
        "entry": None if chase is None else _kept(abs(chase), Decimal("0.1"), Decimal("0.25")),
        "size": None if size_ratio is None else _kept(abs(size_ratio - 1), Decimal("0.1"), Decimal("0.25")),
        "stop": None if beyond_stop is None else _kept(beyond_stop, Decimal("0.1"), Decimal("0.25")),
        "widening": None if widened is None else Decimal(not widened),
        "exit": None if exit_by_rule is None else Decimal(exit_by_rule),
    }
    parts = tuple(Part(name, WEIGHTS[name], share) for name, share in shares.items())
    known = [(part.weight, part.share) for part in parts if part.share is not None]
    whole = sum(weight for weight, _ in known)
    score = 100 * sum((weight * share for weight, share in known), ZERO) / whole
    return Adherence(score, parts)


def _kept(away: Decimal, whole: Decimal, half: Decimal) -> Decimal:
    """Return 1 within ``whole``, a half within ``half``, else 0."""
    return ONE if away <= whole else HALF if away <= half else ZERO
