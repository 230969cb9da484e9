"""What happens to stored rows by themselves: months are made before they begin, and old rows go when they are to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from market.models import AccountRatio, Change, Coverage, Depth, Hole
from market.series import epoch_ms

from .storing import lock, make_months, months_of

if TYPE_CHECKING:
    from django.db.models import Model

AHEAD: Final = dt.timedelta(days=7)
# What maps have long taken in, and what nobody will look into any more.
_KEEP_CHANGES: Final = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done: months dropped by name, rows deleted by table."""

    months: tuple[str, ...] = ()
    rows: int = 0


def keep_house(*, now: dt.datetime) -> Kept:
    """Make the months that begin within a week; drop what is older than the settings keep. Safe to repeat."""
    with transaction.atomic():
        make_months(months_of(np.array([epoch_ms(now), epoch_ms(now + AHEAD)], dtype=np.int64)))
    months = _drop_months(now) if settings.KEEP_BAR_MONTHS else ()
    rows = 0
    if settings.KEEP_DEPTH_DAYS:
        before = now - dt.timedelta(days=settings.KEEP_DEPTH_DAYS)
        rows += _drop_samples(Depth, "depth", before)
        rows += _drop_samples(AccountRatio, "account_ratio", before)
    rows += Change.objects.filter(made_at__lt=now - _KEEP_CHANGES).delete()[0]
    return Kept(months, rows)


def _drop_samples(table: type[Model], series: str, before: dt.datetime) -> int:
    with transaction.atomic():
        deleted = table._default_manager.filter(time__lt=before).delete()[0]  # noqa: SLF001 Django's public name for it
        _trim({series}, before)
    return deleted


def _drop_months(now: dt.datetime) -> tuple[str, ...]:
    """Drop the partitions of bars that end before the kept months begin."""
    first = np.datetime64(f"{now:%Y-%m}", "M") - settings.KEEP_BAR_MONTHS
    with transaction.atomic(), connection.cursor() as cursor:
        lock("partitions")
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = 'market_bar'::regclass AND child.relname < %s ORDER BY child.relname",
            [f"market_bar_{first.item():%Y_%m}"],
        )
        old = tuple(name for (name,) in cursor.fetchall())
        for name in old:
            cursor.execute(f"DROP TABLE {name}")
        if old:
            edge = dt.datetime.combine(first.item(), dt.time(), tzinfo=dt.UTC)
            _trim({"bars", "mark_bars"}, edge)
    return old


def _trim(series: set[str], before: dt.datetime) -> None:
    """Take what is dropped out of the ledger; its holes go with it."""
    for table in (Coverage, Hole):
        rows = table.objects.filter(series__in=series)
        rows.filter(end_at__lte=before).delete()
        rows.filter(start_at__lt=before).update(start_at=before)
