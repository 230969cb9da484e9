"""A week of an owner's plans: what ended in it, one by one, and the note that was kept of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from journal.models import Review, WeekNote
from journal.queries.course import ended_by_day
from journal.queries.sealing import unseal
from journal.queries.words import open_reviews, place_of_week

if TYPE_CHECKING:
    from journal.queries.results import Outcome

_WEEK: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """Plans that ended from a Monday on, in order, each with its review if there is one; note: "" for none."""

    monday: dt.date
    ended: tuple[tuple[Outcome, Review | None], ...]
    note: str

    @property
    def is_reviewed(self) -> bool:
        """Whether every plan is."""
        return all(review is not None for _, review in self.ended)


def read_week(*, owner_id: int, monday: dt.date) -> Week:
    """Return a week of the owner's plans."""
    days = ended_by_day(owner_id=owner_id, since=monday, until=monday + _WEEK)
    ended = [one for _, day in sorted(days.items()) for one in day.ended]
    written = Review.objects.owned_by(owner_id).filter(plan_id__in=[one.plan.pk for one in ended])
    reviews = {one.plan_id: one for one in open_reviews(written, owner_id=owner_id)}
    kept = WeekNote.objects.owned_by(owner_id).filter(monday=monday).first()
    note = unseal(owner_id=owner_id, place=place_of_week(monday), sealed=kept.sealed) if kept else ""
    return Week(monday, tuple((one, reviews.get(one.plan.pk)) for one in ended), note)


def list_week_notes(*, owner_id: int) -> list[tuple[dt.date, str]]:
    """Return the owner's notes on weeks in order, opened."""
    kept = WeekNote.objects.owned_by(owner_id).order_by("monday")
    return [(one.monday, unseal(owner_id=owner_id, place=place_of_week(one.monday), sealed=one.sealed)) for one in kept]
