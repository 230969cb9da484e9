"""Keep what a trader takes from a plan: once, with the verdict as it was then; later remarks are added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from journal.models import LONGEST_TAG, Judgement, Plan, Review, ReviewWords, Trade
from journal.operations.noting import key_of
from journal.queries import open_reviews, seal_words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

MOST_TAGS: Final = 8
MOST_REMARKS: Final = 50


class NotEndedError(ValueError):
    """A plan is reviewed once it has ended."""


class ReviewedError(ValueError):
    """A review is written once."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a review says."""

    what_happened: str
    lesson: str
    early_interest: str = ""
    mistakes: Sequence[str] = ()


def review_plan(*, owner_id: int, number: int, said: Said, now: dt.datetime) -> Review:
    """Write the review of a plan that has ended; raises Plan.DoesNotExist, NotEndedError, ReviewedError."""
    plan = Plan.objects.owned_by(owner_id).get(number=number)
    judged = Judgement.objects.owned_by(owner_id).filter(plan_id=plan.pk).first()
    if judged is None or not judged.is_done:
        raise NotEndedError("The plan has not ended: it is reviewed once its verdict stands.")
    seen = {
        "phase": judged.phase,
        "low": str(judged.result_low),
        "high": str(judged.result_high),
        "engine": judged.engine,
    }
    with transaction.atomic():
        review = write_review(Review(owner_id=owner_id, plan=plan, seen=seen, reviewed_at=now), _words(said))
        # From now on a later verdict is shown beside this one, never in its place.
        Judgement.objects.owned_by(owner_id).filter(plan_id=plan.pk).update(reviewed_at=now)
    return review


def review_trade(*, owner_id: int, trade_id: int, said: Said, now: dt.datetime) -> Review:
    """Write the review of a trade without a plan; raises Trade.DoesNotExist, NotEndedError, ReviewedError."""
    trade = Trade.objects.owned_by(owner_id).get(pk=trade_id)
    if trade.closed_at is None or trade.plan_id is not None:
        raise NotEndedError("A trade of its own is reviewed once it is closed; one with a plan is reviewed there.")
    seen = {"result": str(trade.result)}
    return write_review(Review(owner_id=owner_id, trade=trade, seen=seen, reviewed_at=now), _words(said))


def _words(said: Said) -> ReviewWords:
    tags = dict.fromkeys(tag.strip().lower()[:LONGEST_TAG] for tag in said.mistakes if tag.strip())
    return ReviewWords(said.what_happened, said.lesson, said.early_interest, tuple(tags)[:MOST_TAGS])


def write_review(review: Review, words: ReviewWords) -> Review:
    """Keep a review that says these words; raises ReviewedError for a second one of the same plan or trade."""
    review.words = words
    review.sealed = seal_words(review, key_of(review.owner_id))
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as twice:
        raise ReviewedError("It is reviewed already: a remark can be added.") from twice
    return review


@transaction.atomic
def add_remark(*, owner_id: int, review_id: int, text: str, now: dt.datetime) -> Review:
    """Add a later remark to a review; raises Review.DoesNotExist, ValueError for one too many."""
    review = Review.objects.owned_by(owner_id).select_for_update().get(pk=review_id)
    open_reviews([review], owner_id=owner_id)
    if len(review.words.remarks) >= MOST_REMARKS:
        raise ValueError(f"A review takes {MOST_REMARKS} remarks.")
    added = (*review.words.remarks, (now.isoformat(timespec="seconds"), text))
    review.words = replace(review.words, remarks=added)
    review.sealed = seal_words(review, key_of(owner_id))
    review.save(update_fields=["sealed"])
    return review
