"""Tell members what became of their plans: the journal says what, this room says it where and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from alerts.models import Notice
from alerts.queries import preferences_of

from .mailing import send_digests

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


class PlanNews(Protocol):
    """Something that happened to a plan. subject: what makes it the same as one that was told, with ``at``."""

    @property
    def owner_id(self) -> int:
        """Whose plan it is."""

    @property
    def plan_number(self) -> int:
        """Its number."""

    @property
    def subject(self) -> str:
        """The plan and what happened."""

    @property
    def at(self) -> dt.datetime:
        """The moment that it is of."""

    @property
    def text(self) -> str:
        """The sentence, with access.reading.MOMENT where it names a moment."""

    @property
    def moment(self) -> dt.datetime | None:
        """That moment."""


def tell_of_plans(*, instrument_id: int, news: Sequence[PlanNews], now: dt.datetime) -> None:
    """Tell each thing once, by e-mail too where its owner asked for that; then write to whom something waits."""
    owners = {one.owner_id for one in news}
    by_mail = {owner for owner in owners if preferences_of(owner_id=owner).plans_by_mail}
    Notice.objects.append([
        Notice(
            owner_id=one.owner_id, instrument_id=instrument_id, kind=Notice.PLAN, subject=one.subject, at=one.at,
            text=one.text, moment=one.moment, plan_number=one.plan_number, by_mail=one.owner_id in by_mail,
        )
        for one in news
    ])  # fmt: skip
    if by_mail:
        send_digests(now=now)
