"""Waves of invitations: tried dry, approved in a second step, sent bit by bit, paused when mail bounces."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Count, ExpressionWrapper, F, FloatField, Window
from django.db.models.functions import RowNumber

from access import mails
from access.early.listing import waiting
from access.early.tokens import mint
from access.mail import post
from access.models import Act, Mail, Signup, Token, Wave

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

PACE: Final = 100
BOUNCES_MOST: Final = 0.03
COMPLAINTS_MOST: Final = 0.001
# Below so many sent, one bounce is no rate.
_ENOUGH: Final = 30
_RUNNING: Final = (Wave.State.SCHEDULED, Wave.State.SENDING)


class WaveError(Exception):
    """A wave can not be taken that step; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a wave would invite now."""

    count: int
    by_source: dict[str, int]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a wave's mails."""

    posted: int
    sent: int
    withheld: int
    bounced: int
    complained: int


def candidates(*, only: Mapping[str, str], pick: str) -> QuerySet[Signup]:
    """Return who may be invited, in the order in which they would be."""
    found = waiting()
    if source := only.get("source"):
        found = found.filter(source=source)
    if since := only.get("since"):
        found = found.filter(confirmed_at__gte=_day(since))
    if until := only.get("until"):
        found = found.filter(confirmed_at__lt=_day(until))
    found = found.annotate(rank=F("priority") + F("credit"))
    order = (F("rank").desc(), F("confirmed_at").asc(), F("pk").asc())
    if pick != Wave.Pick.STRATA:
        return found.order_by(*order)
    # Each source gives in proportion to what it has: its k-th of n stands at (k − ½)/n.
    place = Window(RowNumber(), partition_by=F("source"), order_by=order)
    size = Window(Count("pk"), partition_by=F("source"))
    share = ExpressionWrapper((F("place") - 0.5) / F("size"), output_field=FloatField())
    return found.annotate(place=place, size=size).annotate(share=share).order_by("share", *order)


def preview(*, wave: Wave) -> Preview:
    """Say whom a wave would invite if it went out now; nothing is written."""
    picked = list(candidates(only=wave.only, pick=wave.pick).values_list("source", flat=True)[: _room(wave)])
    return Preview(len(picked), {source: picked.count(source) for source in sorted(set(picked))})


@transaction.atomic
def draft(*, actor_id: int, terms: Mapping[str, Any], now: dt.datetime) -> Wave:
    """Write a wave down: step one."""
    wave = Wave.objects.create(**{**terms, "due_at": terms.get("due_at") or now})
    _note(wave, {}, _Step(actor_id, "wave drafted", "", now))
    return wave


@transaction.atomic
def approve(*, wave_id: int, actor_id: int, count: int, reason: str, now: dt.datetime) -> Wave:
    """Let a draft go out: step two. The number has to be the one that would be invited now."""
    wave = _locked(wave_id)
    if wave.state != Wave.State.DRAFT:
        raise WaveError("This wave was approved or stopped before.")
    expected = preview(wave=wave).count
    if count != expected or not expected:
        raise WaveError(f"Now {expected} would be invited, not {count}. Look at the list again, then type that number.")
    return _move(wave, Wave.State.SCHEDULED, _Step(actor_id, "wave approved", reason, now), approved_at=now)


@transaction.atomic
def pause(*, wave_id: int, actor_id: int | None, reason: str, now: dt.datetime) -> Wave:
    """Hold a wave; what is in the outbox of it is still sent."""
    wave = _locked(wave_id)
    if wave.state not in _RUNNING:
        raise WaveError("Only a scheduled wave, or one that is being sent, can be paused.")
    return _move(wave, Wave.State.PAUSED, _Step(actor_id, "wave paused", reason, now))


@transaction.atomic
def resume(*, wave_id: int, actor_id: int, reason: str, now: dt.datetime) -> Wave:
    """Go on with a paused wave; what bounced before no longer counts against it."""
    wave = _locked(wave_id)
    if wave.state != Wave.State.PAUSED:
        raise WaveError("Only a paused wave can go on.")
    return _move(wave, Wave.State.SENDING, _Step(actor_id, "wave resumed", reason, now), approved_at=now)


@transaction.atomic
def stop(*, wave_id: int, actor_id: int, reason: str, now: dt.datetime) -> Wave:
    """End a wave for good; invitations that are out stay good."""
    wave = _locked(wave_id)
    if wave.state in {Wave.State.DONE, Wave.State.STOPPED}:
        raise WaveError("This wave is over.")
    return _move(wave, Wave.State.STOPPED, _Step(actor_id, "wave stopped", reason, now), done_at=now)


def advance(*, now: dt.datetime, most: int = PACE) -> int:
    """Invite up to ``most`` of each wave that is due; return how many were invited."""
    due = Wave.objects.filter(state__in=_RUNNING, due_at__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(_advance(pk, now, most) for pk in list(due))


@transaction.atomic
def _advance(wave_id: int, now: dt.datetime, most: int) -> int:
    wave = Wave.objects.select_for_update(skip_locked=True).filter(pk=wave_id, state__in=_RUNNING).first()
    if wave is None:
        return 0
    if trouble := _trouble(wave):
        _move(wave, Wave.State.PAUSED, _Step(None, "wave paused by itself", trouble, now))
        return 0
    picked = candidates(only=wave.only, pick=wave.pick).values_list("pk", flat=True)[: min(most, _room(wave))]
    invited = sum(_invite(pk, wave, now) for pk in list(picked))
    if _room(wave) <= 0 or not invited:
        _move(wave, Wave.State.DONE, _Step(None, "wave sent", "", now), done_at=now)
    elif wave.state == Wave.State.SCHEDULED:
        Wave.objects.filter(pk=wave.pk).update(state=Wave.State.SENDING)
    return invited


def _invite(signup_id: int, wave: Wave, now: dt.datetime) -> bool:
    """Invite one; the update itself decides that they are confirmed and want mail."""
    mine = waiting().filter(pk=signup_id)
    if not mine.update(state=Signup.State.INVITED, invited_at=now, wave=wave):
        return False
    signup = Signup.objects.get(pk=signup_id)
    link = f"/early-access/invite/{mint(signup=signup, purpose=Token.Purpose.INVITE, now=now)}/"
    yours = f"/early-access/yours/{mint(signup=signup, purpose=Token.Purpose.MANAGE, now=now)}/"
    key = f"invite:{wave.pk}:{signup.pk}"
    post(mails.EARLY_INVITE, to=signup.address, context={"link": link, "yours": yours}, key=key, batch=batch(wave))
    return True


def batch(wave: Wave) -> str:
    """The name under which a wave's mails stand in the outbox."""
    return f"wave-{wave.pk}"


def delivery(*, wave: Wave, since: dt.datetime | None = None) -> Delivery:
    """Count what became of a wave's mails; of those that were posted since a moment, where one is given."""
    found = Mail.objects.filter(batch=batch(wave))
    if since is not None:
        found = found.filter(created_at__gte=since)
    states, outcomes = _counts(found, "state"), _counts(found, "outcome")
    return Delivery(
        posted=sum(states.values()),
        sent=states.get(Mail.State.SENT, 0),
        withheld=states.get(Mail.State.WITHHELD, 0),
        bounced=outcomes.get(Mail.Outcome.BOUNCED, 0) + states.get(Mail.State.DEAD, 0),
        complained=outcomes.get(Mail.Outcome.COMPLAINED, 0),
    )


def _counts(found: QuerySet[Mail], field: str) -> dict[str, int]:
    return dict(found.values_list(field).annotate(n=Count("pk")).order_by())


def _trouble(wave: Wave) -> str:
    """Say why a wave must not go on: above 3 % bounced, or above 0.1 % complained, since it was approved."""
    seen = delivery(wave=wave, since=wave.approved_at)
    tried = seen.sent + seen.bounced
    if tried < _ENOUGH:
        return ""
    if seen.bounced > BOUNCES_MOST * tried:
        return f"{seen.bounced} of {tried} mails bounced"
    if seen.complained > COMPLAINTS_MOST * tried:
        return f"{seen.complained} of {tried} mails were complained of"
    return ""


def _room(wave: Wave) -> int:
    return max(0, wave.size - Signup.objects.filter(wave=wave).count())


def _locked(wave_id: int) -> Wave:
    return Wave.objects.select_for_update().get(pk=wave_id)


class _Step(NamedTuple):
    """Who did what, why, and when."""

    actor_id: int | None
    kind: str
    reason: str
    now: dt.datetime


def _move(wave: Wave, state: str, step: _Step, **fields: dt.datetime) -> Wave:
    before = {"state": wave.state}
    wave.state, wave.note = state, step.reason
    for name, value in fields.items():
        setattr(wave, name, value)
    wave.save(update_fields=["state", "note", *fields])
    _note(wave, before, step)
    return wave


def _note(wave: Wave, before: dict[str, Any], step: _Step) -> None:
    after = {"state": wave.state, "size": wave.size, "only": wave.only, "pick": wave.pick}
    Act.objects.create(
        actor_id=step.actor_id,
        kind=step.kind,
        subject=f"wave {wave.pk}",
        before=before,
        after=after,
        reason=step.reason,
        at=step.now,
    )


def _day(text: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
