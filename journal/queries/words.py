"""Open what is sealed for its owner: the words of reviews, notes of weeks, answers of the API."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from journal.models import NoteKey, ReviewWords
from journal.queries.sealing import seal, unseal_with

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from journal.models import Review

    Row = dict[str, Any]


def open_reviews(reviews: Iterable[Review], *, owner_id: int) -> list[Review]:
    """Return reviews of an owner with their words; raises SealedError where a key or a row is not what it was."""
    found = list(reviews)
    for one, words in zip(found, _opened(owner_id, [(place_of_review(row), row.sealed) for row in found]), strict=True):
        one.words = _read(words)
    return found


def spell_words(words: ReviewWords) -> Row:
    """Return words as JSON keeps them."""
    return asdict(words) | {"mistakes": list(words.mistakes), "remarks": [list(one) for one in words.remarks]}


def _read(said: str) -> ReviewWords:
    read = json.loads(said)
    remarks = tuple((at, text) for at, text in read.pop("remarks"))
    return ReviewWords(**{**read, "mistakes": tuple(read["mistakes"])}, remarks=remarks)


def seal_words(review: Review, key: NoteKey) -> bytes:
    """Return a review's words, sealed for the plan or trade that they are about."""
    return seal(key, place_of_review(review), json.dumps(spell_words(review.words), ensure_ascii=False))


def place_of_review(review: Review) -> str:
    """Return what a review's words are bound to."""
    return _place(review.plan_id, review.trade_id)


def place_of_week(monday: dt.date) -> str:
    """Return what a week's note is bound to."""
    return f"week {monday.isoformat()}"


def place_of_answer(key_sha256: str) -> str:
    """Return what an answer of the API is bound to."""
    return f"answer {key_sha256}"


def open_answer(*, owner_id: int, key_sha256: str, sealed: bytes | memoryview) -> Any:  # noqa: ANN401  # any JSON
    """Return what was answered."""
    (body,) = _opened(owner_id, [(place_of_answer(key_sha256), sealed)])
    return json.loads(body)


def say_reviews(owner_id: int, rows: list[Row]) -> list[Row]:
    """Return rows of the owner's export with their words in place of what is sealed."""
    opened = _opened(owner_id, [(_place(row["plan_id"], row["trade_id"]), row["sealed"]) for row in rows])
    return [_bare(row) | json.loads(words) for row, words in zip(rows, opened, strict=True)]


def say_weeks(owner_id: int, rows: list[Row]) -> list[Row]:
    """Do the same for notes of weeks."""
    opened = _opened(owner_id, [(place_of_week(row["monday"]), row["sealed"]) for row in rows])
    return [_bare(row) | {"note": note} for row, note in zip(rows, opened, strict=True)]


def say_answers(owner_id: int, rows: list[Row]) -> list[Row]:
    """Do the same for answers of the API."""
    opened = _opened(owner_id, [(place_of_answer(row["key_sha256"]), row["sealed"]) for row in rows])
    return [_bare(row) | {"body": json.loads(body)} for row, body in zip(rows, opened, strict=True)]


def _place(plan_id: int | None, trade_id: int | None) -> str:
    return f"review of trade {trade_id}" if plan_id is None else f"review of plan {plan_id}"


def _bare(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "sealed"}


def _opened(owner_id: int, sealed: Sequence[tuple[str, bytes | memoryview]]) -> list[str]:
    """Open several with the owner's key, which is asked for once."""
    if not sealed:
        return []
    return unseal_with(NoteKey.objects.owned_by(owner_id).get(pk=owner_id), sealed)
