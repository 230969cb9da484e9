"""How far a new member has come: chosen pairs, the map read about, the first plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access.models import Onboarding

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


def get(*, user_id: int) -> Onboarding:
    """Return what a member has done; one who has done nothing has an unsaved row."""
    return Onboarding.objects.filter(user_id=user_id).first() or Onboarding(user_id=user_id)


def choose(*, user_id: int, pairs: Sequence[str]) -> None:
    """Keep which markets a member looks at."""
    Onboarding.objects.update_or_create(user_id=user_id, defaults={"pairs": list(pairs)})


def note_read(*, user_id: int, now: dt.datetime) -> None:
    """Keep that a member has read how to read the map; the first time counts."""
    Onboarding.objects.get_or_create(user_id=user_id)
    Onboarding.objects.filter(user_id=user_id, read_at=None).update(read_at=now)


def note_done(*, user_id: int, now: dt.datetime) -> None:
    """Keep that a member is through; the first time counts."""
    Onboarding.objects.get_or_create(user_id=user_id)
    Onboarding.objects.filter(user_id=user_id, done_at=None).update(done_at=now)
