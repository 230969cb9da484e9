"""Keep notes sealed, and wrap their keys anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from journal.models import NoteKey, WeekNote
from journal.queries import new_key, place_of_week, seal, wrap_anew

if TYPE_CHECKING:
    import datetime as dt

# Characters of a note on a week.
MOST_NOTE: Final = 2_000


def key_of(owner_id: int) -> NoteKey:
    """Return the owner's key, which is made with the first words that are sealed by it."""
    made = NoteKey.objects.owned_by(owner_id)
    return made.get_or_create(owner_id=owner_id, defaults={"wrapped": new_key(owner_id)})[0]


@transaction.atomic
def keep_week_note(*, owner_id: int, monday: dt.date, words: str, now: dt.datetime) -> None:
    """Keep what the owner takes from a week, in place of what was kept before; raises ValueError for no Monday."""
    if monday.weekday():
        raise ValueError(f"A week begins on a Monday; {monday} is none.")
    sealed = seal(key_of(owner_id), place_of_week(monday), words)
    notes = WeekNote.objects.owned_by(owner_id)
    notes.update_or_create(owner_id=owner_id, monday=monday, defaults={"sealed": sealed, "kept_at": now})


@transaction.atomic
def rewrap_keys() -> int:
    """Wrap every owner's key by the environment's first key; return how many. All of them, or none."""
    keys = list(NoteKey.objects.to_rewrap().select_for_update())
    for key in keys:
        key.wrapped = wrap_anew(key.owner_id, bytes(key.wrapped))
        key.save(update_fields=["wrapped"])
    return len(keys)
