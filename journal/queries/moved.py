"""Read journals that came from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.models import MovedJournal

if TYPE_CHECKING:
    from journal.imports.own import Part


def list_moved(*, owner_id: int) -> list[MovedJournal]:
    """Return the owner's imported journals, newest first, without their bytes and chains."""
    return list(MovedJournal.objects.owned_by(owner_id).defer("content", "parts").order_by("-pk"))


def get_moved(*, owner_id: int, journal_id: int) -> MovedJournal:
    """Return one of the owner's imported journals; raises MovedJournal.DoesNotExist for any other."""
    return MovedJournal.objects.owned_by(owner_id).get(pk=journal_id)


def moved_parts(*, owner_id: int) -> list[Part]:
    """Return the chains that the owner took in, in the order in which they came."""
    taken = MovedJournal.objects.owned_by(owner_id).filter(taken_at__isnull=False).order_by("pk")
    return [part for parts in taken.values_list("parts", flat=True) for part in parts]
