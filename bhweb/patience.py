"""How long the database may keep a process waiting. Commands that a person runs wait as long as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# What libpq reads at each connection; DATABASE_URL's own `options` go before it.
VARIABLE: Final = "PGOPTIONS"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a statement, for a lock that it waits for, and for a transaction in which nothing happens."""

    statement: int
    lock: int
    idle_in_transaction: int

    def apply(self, environment: MutableMapping[str, str]) -> None:
        """Bound every later connection of this process and its children; what the operator has set prevails."""
        bounds = (
            f"-c statement_timeout={self.statement}s",
            f"-c lock_timeout={self.lock}s",
            f"-c idle_in_transaction_session_timeout={self.idle_in_transaction}s",
        )
        environment[VARIABLE] = " ".join((*bounds, environment.get(VARIABLE, ""))).strip()


PAGES: Final = Patience(statement=5, lock=2, idle_in_transaction=30)
# A stage computes inside its transaction: the silence lasts as long as the computing (see celery.LIMITS).
WORK: Final = Patience(statement=120, lock=60, idle_in_transaction=120)
