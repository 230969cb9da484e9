"""What members are told of their plans: entered, near expiry, ended, review due. Each is said once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from journal.models import Judgement, PlanEvent
from journal.operations.settling import settle
from journal.pages import news as words
from journal.queries.plans import REVIEW_AFTER, REVIEW_UNTIL

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY: Final = dt.timedelta(days=1)
# A plan is near its expiry in the last eighth of its life, and at most a day before.
_SHARE: Final = 8


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a plan. subject: what makes it the same as one that was told, with ``at``.

    text: the sentence, with access.reading.MOMENT where ``moment`` stands.
    """

    owner_id: int
    plan_number: int
    subject: str
    at: dt.datetime
    text: str
    moment: dt.datetime | None = None


@transaction.atomic
def settle_and_tell(*, instrument_id: int, now: dt.datetime) -> list[News]:
    """Judge an instrument's plans as ``settle`` does, and return what their owners are to be told."""
    heard: list[PlanEvent] = []
    settle(instrument_id=instrument_id, now=now, heard=heard)
    news = list(_happened(heard))
    if due := _near_expiry(instrument_id, now):
        news += [_news(one, "expiry", now, words.near_expiry(one), one.plan.expires_at) for one in due]
        Judgement.objects.by_key([one.pk for one in due]).update(expiry_told_at=now)
    if due := _to_review(instrument_id, now):
        news += [_news(one, "review", now, words.review_due(one), one.through_at) for one in due]
        Judgement.objects.by_key([one.pk for one in due]).update(review_told_at=now)
    return news


def _happened(heard: list[PlanEvent]) -> Iterator[News]:
    entered = {event.plan_id: event for event in reversed(heard) if event.kind == "triggered"}
    for one in Judgement.objects.for_news(sorted({event.plan_id for event in heard})) if heard else ():
        if event := entered.get(one.pk):
            yield _news(one, "entered", event.at, words.entered(one, event))
        if one.is_done and one.through_at is not None:
            yield _news(one, "ended", one.through_at, words.ended(one))


def _near_expiry(instrument_id: int, now: dt.datetime) -> list[Judgement]:
    def is_near(one: Judgement) -> bool:
        assert one.plan.armed_at is not None
        life = one.plan.expires_at - one.plan.armed_at
        return one.plan.expires_at - now <= min(_DAY, life / _SHARE)

    due = Judgement.objects.expiring(instrument_id, now, now + _DAY).values_list("pk", flat=True)
    return [one for one in Judgement.objects.for_news(list(due)) if is_near(one)] if due else []


def _to_review(instrument_id: int, now: dt.datetime) -> list[Judgement]:
    due = Judgement.objects.review_due(instrument_id, now - REVIEW_UNTIL, now - REVIEW_AFTER)
    keys = list(due.values_list("pk", flat=True))
    return list(Judgement.objects.for_news(keys)) if keys else []


def _news(one: Judgement, what: str, at: dt.datetime, text: str, moment: dt.datetime | None = None) -> News:
    return News(one.plan.owner_id, one.plan.number, f"plan:{one.pk}:{what}", at, text, moment)
