"""Read what a member asked for and was told. Every question names the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alerts.models import Notice, Preferences, Rule, Watched

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

PAGE: Final = 50
MOST_RULES: Final = 100


def list_rules(*, owner_id: int) -> list[Rule]:
    """Return the owner's rules, by instrument."""
    rules = Rule.objects.owned_by(owner_id).select_related("instrument")
    return list(rules.order_by("instrument__venue", "instrument__symbol", "kind", "pk"))


def list_notices(*, owner_id: int, before: int | None = None, limit: int = PAGE) -> list[Notice]:
    """Return what the owner was told, newest first, of ids below ``before``."""
    notices = Notice.objects.owned_by(owner_id).select_related("instrument")
    if before is not None:
        notices = notices.filter(pk__lt=before)
    return list(notices.order_by("-pk")[:limit])


def count_unread(*, owner_id: int) -> int:
    """Count what the owner has not read."""
    return Notice.objects.owned_by(owner_id).filter(read_at=None).count()


def preferences_of(*, owner_id: int) -> Preferences:
    """Return the owner's preferences; the usual ones where none are stored."""
    return Preferences.objects.owned_by(owner_id).first() or Preferences(owner_id=owner_id)


def list_watched(*, owner_id: int) -> list[int]:
    """Return the ids of the instruments on the owner's watch list, in the order in which they came."""
    return list(Watched.objects.owned_by(owner_id).order_by("pk").values_list("instrument_id", flat=True))


def watch_due(*, instrument_ids: Sequence[int], now: dt.datetime) -> set[int]:  # noqa: ARG001  # asked like every errand
    """Return the instruments that anybody wants to be told of; all of them where an e-mail waits."""
    if Notice.objects.waiting().exists():
        return set(instrument_ids)
    return set(Rule.objects.watched().filter(instrument__in=instrument_ids).values_list("instrument_id", flat=True))


def watched_instruments() -> list[int]:
    """Return the ids of the instruments that are to be looked at even where nothing comes from their venue.

    They are those whose outage somebody wants to be told of, and one for the e-mails that wait.
    """
    pks = Rule.objects.watched().order_by("instrument_id").values_list("instrument_id", flat=True)
    return sorted({*pks.filter(kind=Rule.Kind.STALE), *pks[:1]})
