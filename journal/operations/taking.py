"""Take a large file in beside the request that asked for it, and say how far it is."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import connection

from journal.models import TradeFile
from journal.operations.files import UnreadableError, take_in

if TYPE_CHECKING:
    import datetime as dt

logger = logging.getLogger(__name__)
# A smaller file is there before a page could tell of it [bytes].
AT_ONCE: Final = 200_000
# So long is said where it stands without a further word [s]: who did it may be gone, and then nothing was kept.
_PATIENCE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are stored, of how many (0: not known yet); or why it ended without any."""

    done: int = 0
    count: int = 0
    problem: str = ""


def begin_take_in(*, owner_id: int, file_id: int, now: dt.datetime) -> TradeFile | None:
    """Take a file in as ``take_in`` does; None of a large one, which goes on beside: ``progress_of`` says how far.

    A second call changes nothing. The work stays in the web server, because the workers may read no trades. Raises
    TradeFile.DoesNotExist and UnreadableError.
    """
    file = TradeFile.objects.owned_by(owner_id).get(pk=file_id)
    if file.taken_at is not None or len(file.content or b"") <= AT_ONCE:
        return take_in(owner_id=owner_id, file_id=file_id, now=now)
    running = progress_of(file_id=file_id)
    if running is None or running.problem:
        _say(file_id, Progress())
        threading.Thread(target=_take_in_beside, args=(owner_id, file_id, now), name=f"take-in-{file_id}").start()
    return None


def progress_of(*, file_id: int) -> Progress | None:
    """Return how far a file is that is being taken in; None where nothing is heard of it."""
    said = cache.get(_key(file_id))
    return Progress(*said) if said else None


def _take_in_beside(owner_id: int, file_id: int, now: dt.datetime) -> None:
    try:
        take_in(
            owner_id=owner_id,
            file_id=file_id,
            now=now,
            tell=lambda done, count: _say(file_id, Progress(done, count)),
        )
        # What is over is not heard of any more; the call that a cache that is away does not stop.
        cache.set(_key(file_id), None, 1)
    except UnreadableError as refusal:
        _say(file_id, Progress(problem=str(refusal)))
    except Exception:
        logger.exception("a file of trades was not taken in")
        _say(file_id, Progress(problem="Something failed here, and nothing was kept. Take the file in again."))
    finally:
        connection.close()


def _say(file_id: int, progress: Progress) -> None:
    cache.set(_key(file_id), (progress.done, progress.count, progress.problem), _PATIENCE_S)


def _key(file_id: int) -> str:
    return f"journal:taking:{file_id}"
