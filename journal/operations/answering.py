"""Do what a request asks once, however often it is sent."""

from __future__ import annotations

import datetime as dt
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from journal.models import SentAnswer
from journal.operations.noting import key_of
from journal.queries import open_answer, place_of_answer, seal

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT: Final = dt.timedelta(hours=24)


class OtherRequestError(ValueError):
    """The key was used for another request."""


@transaction.atomic
def answer_once(
    *, owner_id: int, key: str, request: bytes, act: Callable[[], tuple[int, Any]], now: dt.datetime
) -> tuple[SentAnswer, bool]:
    """Return the answer to a request, and whether it was given before; ``act`` does it: a status and a JSON body.

    The key and what was done are one transaction: of two requests at once the second waits for the first, and what
    ``act`` refuses by raising leaves no key behind. request: what makes two requests the same.
    Raises OtherRequestError when the key came with another request within a day.
    """
    SentAnswer.objects.owned_by(owner_id).filter(sent_at__lt=now - KEPT).delete()
    asked = sha256(request).hexdigest()
    kept, is_new = SentAnswer.objects.owned_by(owner_id).get_or_create(
        owner_id=owner_id,
        key_sha256=sha256(key.encode()).hexdigest(),
        defaults={"request_sha256": asked, "sent_at": now},
    )
    if kept.request_sha256 != asked:
        raise OtherRequestError("This key was sent with another request. Take a new key for each request.")
    if is_new:
        kept.status, kept.body = act()
        place = place_of_answer(kept.key_sha256)
        kept.sealed = seal(key_of(owner_id), place, json.dumps(kept.body, ensure_ascii=False))
        kept.save(update_fields=["status", "sealed"])
    else:
        kept.body = open_answer(owner_id=owner_id, key_sha256=kept.key_sha256, sealed=kept.sealed)
    return kept, not is_new
