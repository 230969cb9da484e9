"""Keep what somebody is writing, so that a closed page loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.models import Unfinished

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

_LONGEST: Final = 20_000
_MOST_KEPT: Final = 50


def keep_unfinished(
    *, owner_id: int, zone_id: int, plan_number: int, fields: Mapping[str, list[str]], now: dt.datetime
) -> bool:
    """Keep a form as it was typed, in place of what was kept of it; return whether it was short enough."""
    if sum(len(text) for texts in fields.values() for text in texts) > _LONGEST:
        return False
    mine = Unfinished.objects.owned_by(owner_id)
    mine.update_or_create(
        zone_id=zone_id,
        plan_number=plan_number,
        defaults={"fields": dict(fields), "saved_at": now},
        create_defaults={"owner_id": owner_id, "fields": dict(fields), "saved_at": now},
    )
    old = list(mine.order_by("-saved_at").values_list("pk", flat=True)[_MOST_KEPT:])
    if old:
        mine.filter(pk__in=old).delete()
    return True


def drop_unfinished(*, owner_id: int, zone_id: int, plan_number: int) -> None:
    """Forget a form that was saved or given up."""
    Unfinished.objects.owned_by(owner_id).filter(zone_id=zone_id, plan_number=plan_number).delete()
