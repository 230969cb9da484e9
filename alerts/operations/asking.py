"""Write what a member asks for: rules, the watch list, quiet hours, what was read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction

from alerts.models import Notice, Preferences, Rule, Watched
from alerts.queries import MOST_RULES

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal


class TooManyRulesError(Exception):
    """The owner has as many rules as one may have."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rule is to be."""

    instrument_id: int
    kind: str
    threshold_pct: Decimal
    horizon: str


def add_rule(*, owner_id: int, wish: Wish, by_mail: bool) -> Rule:
    """Add a rule, or change how one that is there tells; raise TooManyRulesError."""
    with transaction.atomic():
        # One at a time for each owner, so that the count holds.
        get_user_model().objects.select_for_update().get(pk=owner_id)
        found = Rule.objects.owned_by(owner_id).filter(**asdict(wish)).first()
        if found is not None:
            found.by_mail = by_mail
            found.save(update_fields=["by_mail"])
            return found
        if Rule.objects.owned_by(owner_id).count() >= MOST_RULES:
            raise TooManyRulesError
        made = Rule(owner_id=owner_id, by_mail=by_mail, **asdict(wish))
        made.save()
        return made


def drop_rule(*, owner_id: int, rule_id: int) -> bool:
    """Remove a rule; what it told stays. False where the owner has no such rule."""
    removed, _ = Rule.objects.owned_by(owner_id).filter(pk=rule_id).delete()
    return removed > 0


def watch(*, owner_id: int, instrument_id: int) -> None:
    """Put an instrument on the watch list; once."""
    Watched.objects.owned_by(owner_id).get_or_create(owner_id=owner_id, instrument_id=instrument_id)


def unwatch(*, owner_id: int, instrument_id: int) -> None:
    """Take an instrument from the watch list."""
    Watched.objects.owned_by(owner_id).filter(instrument_id=instrument_id).delete()


def mark_read(*, owner_id: int, through_id: int, now: dt.datetime) -> int:
    """Mark what was told up to a notice as read; return how many were new."""
    unread = Notice.objects.owned_by(owner_id).filter(read_at=None, pk__lte=through_id)
    return unread.update(read_at=now)


def keep_preferences(
    *,
    owner_id: int,
    quiet_from: dt.time | None,
    quiet_until: dt.time | None,
    digest_minutes: int,
    plans_by_mail: bool = False,
) -> Preferences:
    """Keep when the owner may be written to."""
    values = {
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "digest_minutes": digest_minutes,
        "plans_by_mail": plans_by_mail,
    }
    kept, _ = Preferences.objects.owned_by(owner_id).update_or_create(owner_id=owner_id, defaults=values)
    return kept
