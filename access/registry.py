"""What belongs to a person, room by room: access lies lowest and knows no other room, so each room says it here.

    declare("plans", model="journal.Plan", owner="owner")

in `<room>/belongings.py`, which is loaded at start. What is declared is in the export; a test holds every model that
leads to a user, or holds an address, to be declared. Erasure deletes the user's row: what points to it goes with it
(`on_delete=CASCADE`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BELONGINGS: Final[dict[str, Belonging]] = {}
# Venues that a person may set as theirs: the market's, said by it at start as belongings are.
VENUES: Final[dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Belonging:
    """Rows of one model that are one person's, found by who they are or by their address."""

    model: str
    owner: str
    is_by_address: bool = False
    # Columns that are secrets, or mean nothing outside.
    without: frozenset[str] = frozenset()
    # Dotted name of what opens sealed columns for their owner: (owner id, rows) to rows.
    opened_by: str = ""


def declare(  # noqa: PLR0913  # what is said of rows, each by name
    slug: str, *, model: str, owner: str = "", address: str = "", without: tuple[str, ...] = (), opened_by: str = ""
) -> None:
    """Make rows known as somebody's, by the look-up that leads to the user or to the address.

    Raises ValueError where the slug is used, or where not exactly one look-up is given.
    """
    if bool(owner) == bool(address):
        raise ValueError(f"Say of {slug!r} by what it is found: owner or address, not both.")
    belonging = Belonging(model, owner or address, bool(address), frozenset(without), opened_by)
    if BELONGINGS.setdefault(slug, belonging) != belonging:
        raise ValueError(f"Something else is exported as {slug!r}: choose a slug of its own.")
