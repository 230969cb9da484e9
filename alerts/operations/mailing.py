"""Put what waits to be sent into one e-mail for each member: never in the quiet hours, never one after the other."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import transaction

from access.mail import post
from access.queries import own_time_zone
from access.reading import clock, with_moment
from alerts.mails import DIGEST
from alerts.models import Notice, Preferences
from alerts.queries import preferences_of
from alerts.terms import is_quiet

from .looking import look

if TYPE_CHECKING:
    from collections.abc import Sequence

# Members for whom one call writes, and notices that one e-mail spells out.
_MEMBERS: Final = 200
SHOWN: Final = 20


def look_and_write(*, instrument_id: int, now: dt.datetime, for_outages: bool = False) -> None:
    """Look at the rules about an instrument, then write to whom something waits for."""
    look(instrument_id=instrument_id, now=now, for_outages=for_outages)
    send_digests(now=now)


def send_digests(*, now: dt.datetime) -> int:
    """Write to every member who may be written to now and for whom something waits; return to how many."""
    waiting = Notice.objects.waiting().order_by("owner_id").values_list("owner_id", flat=True).distinct()
    return sum(_send(owner_id, now) for owner_id in waiting[:_MEMBERS])


def _send(owner_id: int, now: dt.datetime) -> bool:
    with transaction.atomic():
        members = get_user_model().objects.select_for_update(skip_locked=True)
        owner = members.only("email").filter(pk=owner_id, is_active=True).first()
        if owner is None:
            return False
        preferences = preferences_of(owner_id=owner_id)
        zone = ZoneInfo(own_time_zone(user_id=owner_id))
        if not may_write(preferences, zone, now):
            return False
        waiting = Notice.objects.owned_by(owner_id).filter(by_mail=True, mailed_at=None)
        found = list(waiting.select_related("instrument").order_by("pk"))
        if not found:
            return False
        post(DIGEST, to=owner.email, context=digest_of(found, zone), key=f"alerts:{owner_id}:{found[-1].pk}")
        Notice.objects.owned_by(owner_id).filter(pk__in=[one.pk for one in found]).update(mailed_at=now)
        if not Preferences.objects.owned_by(owner_id).update(mailed_at=now):
            Preferences(owner_id=owner_id, mailed_at=now).save(force_insert=True)
    return True


def may_write(preferences: Preferences, zone: ZoneInfo, now: dt.datetime) -> bool:
    """Tell whether a member may be written to: not in the quiet hours, and not so soon after the last e-mail."""
    if is_quiet(now=now, zone=zone, start=preferences.quiet_from, end=preferences.quiet_until):
        return False
    last = preferences.mailed_at
    return last is None or now - last >= dt.timedelta(minutes=preferences.digest_minutes)


def digest_of(notices: Sequence[Notice], zone: ZoneInfo) -> dict[str, Any]:
    """Return what the e-mail says: the newest notices by a zone's clock, oldest first, and how many are left."""
    shown = notices[-SHOWN:]
    return {
        "count": len(notices),
        "more": len(notices) - len(shown),
        "lines": [f"{clock(one.at.astimezone(zone))}  {with_moment(one.text, one.moment, zone)}" for one in shown],
        "link": "/alerts/",
    }
