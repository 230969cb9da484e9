"""Which plan a trade may belong to: a score that can be read, and a question where it is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.formulas import exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.verdict import Terms

    from .trades import Trade

SURE, POSSIBLE = Decimal(70), Decimal(40)
# Beyond this distance from entry [planned R], or this time from the plan's life, a trade is another idea.
FARTHEST, LATEST_MS = Decimal(1), 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan that a trade may belong to. key: the plan's; until_ms: when its last course ended, else its expiry."""

    key: int
    terms: Terms
    until_ms: int


@dataclass(frozen=True, slots=True)
class Match:
    """The plan that is meant, None where none is or more than one may be; scores: of the possible ones, best first."""

    key: int | None
    scores: tuple[tuple[int, Decimal], ...]

    @property
    def is_question(self) -> bool:
        """Whether the trader has to be asked."""
        return self.key is None and bool(self.scores)


@exact
def match(trade: Trade, candidates: Sequence[Candidate]) -> Match:
    """Return which of the plans of the same instrument a trade belongs to.

    Half of a score of 100 is the price, half the time: each falls to 0 along ``FARTHEST`` and ``LATEST_MS``. A plan
    is meant when it alone is possible and scores 70 or more; a trade before arming belongs to no plan.
    """
    scored = [(one.key, _score(trade, one)) for one in candidates if one.terms.side == trade.side]
    possible = sorted((pair for pair in scored if pair[1] >= POSSIBLE), key=lambda pair: (-pair[1], pair[0]))
    meant = possible[0][0] if len(possible) == 1 and possible[0][1] >= SURE else None
    return Match(meant, tuple(possible))


def _score(trade: Trade, plan: Candidate) -> Decimal:
    terms = plan.terms
    late = max(0, trade.opened_ms - plan.until_ms)
    away = abs(trade.opens[0].price - terms.entry) / abs(terms.entry - terms.stop)
    if trade.opened_ms < terms.armed_ms or late > LATEST_MS or away > FARTHEST:
        return Decimal(0)
    return 50 * (1 - away / FARTHEST) + 50 * (1 - Decimal(late) / LATEST_MS)
