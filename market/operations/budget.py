"""The gate before each request to a venue: one budget, one ban and one back-off for all processes.

The budget is a bucket in PostgreSQL that leaks at the published rate and holds half of the published weight, so that
no window of the venue's ever sees more than it allows. The database's clock rules: a replayed market runs on its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.db import connection

from market.sources.base import LIVE_SHARE, BusyError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from market.sources.base import Budget

# How much of what the venue publishes back-fill may spend.
BACKFILL_SHARE: Final = 0.25
LIVE_PATIENCE_S: Final = 5.0
BACKFILL_PATIENCE_S: Final = 120.0
# Of a worker whose other jobs wait behind the one that waits here.
JOB_PATIENCE_S: Final = 0.5
# What a venue is left alone for when it says "too many" and not for how long [s].
_SLOW_DOWN_S: Final = 60
_BAN_S: Final = 120
_LONGEST_PAUSE_S: Final = 300
# While one request finds out whether a venue is back, nobody else asks [s].
_PROBE_S: Final = 20
_BANNED: Final = 418
# The least that is slept, so that a waiting process does not spin [s].
_NAP_S: Final = 0.05

_LEAKED: Final = "greatest(0, v.spent - extract(epoch FROM clock_timestamp() - v.window_at) * %(rate)s)"
_HAS_ROOM: Final = f"(%(weight)s = 0 OR {_LEAKED} + %(weight)s <= %(capacity)s)"
_ASK: Final = """
INSERT INTO market_venuestate AS v (venue, failures, is_banned, reason, window_at, spent, asked, refused_count)
VALUES (%(venue)s, 0, false, '', clock_timestamp(), %(weight)s, true, 0)
ON CONFLICT (venue) DO UPDATE SET
    spent = {leaked} + CASE WHEN {free} THEN %(weight)s ELSE 0 END,
    retry_at = CASE WHEN v.failures > 0 AND {free} THEN clock_timestamp() + make_interval(secs => %(probe)s)
        ELSE v.retry_at END,
    window_at = clock_timestamp(),
    asked = {free}
RETURNING asked, extract(epoch FROM retry_at - clock_timestamp()), spent, is_banned, failures, reason
""".format(leaked=_LEAKED, free=f"(coalesce(v.retry_at, '-infinity') <= clock_timestamp() AND {_HAS_ROOM})")
_ASK_APART: Final = f"""
INSERT INTO market_venuelimit AS v (venue, name, window_at, spent, asked)
VALUES (%(venue)s, %(name)s, clock_timestamp(), %(weight)s, true)
ON CONFLICT (venue, name) DO UPDATE SET
    spent = {_LEAKED} + CASE WHEN {_HAS_ROOM} THEN %(weight)s ELSE 0 END, window_at = clock_timestamp(),
    asked = {_HAS_ROOM}
RETURNING asked, spent
"""  # noqa: S608 of constants only

_WELL: Final = """
UPDATE market_venuestate SET answered_at = clock_timestamp(), unreachable_since = NULL, failures = 0, retry_at = NULL,
    is_banned = false, reason = '', spent = greatest(spent, %(used)s)
WHERE venue = %(venue)s AND (failures > 0 OR retry_at IS NOT NULL OR spent < %(used)s
    OR answered_at IS NULL OR answered_at < clock_timestamp() - interval '2 seconds')
"""
_TOO_MANY: Final = """
UPDATE market_venuestate SET answered_at = clock_timestamp(), failures = failures + 1, is_banned = %(banned)s,
    refused_count = refused_count + 1, reason = %(reason)s,
    retry_at = greatest(coalesce(retry_at, '-infinity'), clock_timestamp() + make_interval(secs => %(wait)s))
WHERE venue = %(venue)s
"""
# Full jitter, so that processes that failed together do not come back together.
_OUTAGE: Final = """
UPDATE market_venuestate SET failures = failures + 1, reason = %(reason)s,
    unreachable_since = coalesce(unreachable_since, clock_timestamp()),
    retry_at = greatest(coalesce(CASE WHEN is_banned THEN retry_at END, '-infinity'), clock_timestamp()
        + make_interval(secs => greatest(%(wait)s, least(%(longest)s, 2 ^ least(failures, 10)) * (0.5 + random() / 2))))
WHERE venue = %(venue)s
"""


def rests_s(venue: str) -> float:
    """Return for how long [s] nobody may ask a venue anything, 0 where one may."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(0, extract(epoch FROM retry_at - clock_timestamp())) FROM market_venuestate"
            " WHERE venue = %s AND failures > 0 AND retry_at IS NOT NULL",
            [venue],
        )
        (seconds,) = cursor.fetchone() or (0,)
    return float(seconds)


@dataclass(frozen=True, slots=True)
class SharedGate:
    """One process's side of a venue's gate; see ``market.sources.base.Gate``."""

    venue: str
    budget: Budget
    share: float = LIVE_SHARE
    patience_s: float = LIVE_PATIENCE_S
    sleep: Callable[[float], None] = time.sleep

    def ask(self, weight: int, *, apart: str = "") -> None:
        """Take ``weight`` of a budget, waiting ``patience_s`` at most; raise SourceError while there is none."""
        waited = 0.0
        while True:
            pause = self._try_apart(apart, weight) if apart else self._try(weight)
            if pause <= 0:
                return
            if waited + pause > self.patience_s:
                raise BusyError(f"{self.venue}: the budget is spent for {pause:.0f} s.", busy_s=pause)
            self.sleep(pause)
            waited += pause

    def _terms(self, budget: Budget, weight: float) -> dict[str, float]:
        capacity = budget.weight * self.share
        rate = budget.weight * LIVE_SHARE / budget.window_s
        return {"weight": min(float(weight), capacity), "rate": rate, "capacity": capacity}

    def _try_apart(self, name: str, weight: float) -> float:
        """Take the weight of a limit apart and return 0, or return how long to wait [s].

        It takes nothing from the others, but a ban or a pause is everybody's.
        """
        if not self._is_well():
            self._try(0)
        terms = self._terms(self.budget.apart[name], weight)
        with connection.cursor() as cursor:
            cursor.execute(_ASK_APART, {"venue": self.venue, "name": name, **terms})
            is_free, spent = cursor.fetchone() or (True, 0)
        return 0.0 if is_free else max(_NAP_S, (spent + terms["weight"] - terms["capacity"]) / terms["rate"])

    def _is_well(self) -> bool:
        """Tell whether nothing is known against the venue; a look costs less than a question that is written down."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT failures = 0 FROM market_venuestate WHERE venue = %s", [self.venue])
            (is_well,) = cursor.fetchone() or (False,)
        return bool(is_well)

    def _try(self, weight: float) -> float:
        """Take the weight and return 0, or return how long to wait [s]; raise SourceError during a ban or a pause."""
        terms = self._terms(self.budget, weight)
        params: dict[str, str | float] = {"venue": self.venue, "probe": _PROBE_S, **terms}
        with connection.cursor() as cursor:
            cursor.execute(_ASK, params)
            is_free, rest_s, spent, is_banned, failures, reason = cursor.fetchone() or (True, None, 0, False, 0, "")
        if is_free:
            return 0.0
        if rest_s is not None and rest_s > 0 and failures:
            what = "has banned us" if is_banned else "is left alone"
            raise SourceError(f"{self.venue} {what} for {rest_s:.0f} s more: {reason}", retry_after_s=float(rest_s))
        return max(_NAP_S, (spent + terms["weight"] - terms["capacity"]) / terms["rate"])

    def told(self, *, status: int, retry_after_s: float | None, used: int | None) -> None:
        """Note how the venue answered; see ``market.sources.base.Gate``."""
        params: dict[str, str | float | bool] = {"venue": self.venue, "used": used or 0, "banned": status == _BANNED}
        if status in {_BANNED, HTTPStatus.TOO_MANY_REQUESTS}:
            wait = retry_after_s or (_BAN_S if status == _BANNED else _SLOW_DOWN_S)
            statement, reason = _TOO_MANY, f"it answered {status}"
        elif status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.FORBIDDEN:
            wait = retry_after_s or 0.0
            statement, reason = _OUTAGE, f"it answered {status}" if status else "no usable answer"
        else:
            statement, wait, reason = _WELL, 0.0, ""
        params |= {"wait": wait, "reason": reason, "longest": _LONGEST_PAUSE_S}
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
