"""What a bench writes into and reads from the ledger of its throw-away database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

MINUTE: Final = dt.timedelta(minutes=1)
STEP: Final = dt.timedelta(minutes=5)
# Series, the seconds under which the ledger keeps it, and the distance of its rows.
_KEPT: Final = (
    ("bars", 60, MINUTE),
    ("mark_bars", 60, MINUTE),
    ("open_interest", 300, STEP),
    ("account_ratio", 300, STEP),
    ("funding", 28_800, dt.timedelta(hours=8)),
)
_ENABLE: Final = "UPDATE market_instrument SET is_live = true WHERE venue = 'binance'"
_BEGIN: Final = """INSERT INTO market_coverage (instrument_id, series, timeframe, start_at, end_at)
    SELECT id, %s, %s, %s, %s FROM market_instrument WHERE is_live"""
_LIFT: Final = """CREATE FUNCTION bench_forget_spent() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.spent := 0; RETURN NEW; END';
    CREATE TRIGGER bench_forget_spent BEFORE INSERT OR UPDATE ON market_venuestate
    FOR EACH ROW EXECUTE FUNCTION bench_forget_spent();
    CREATE TRIGGER bench_forget_spent BEFORE INSERT OR UPDATE ON market_venuelimit
    FOR EACH ROW EXECUTE FUNCTION bench_forget_spent()"""
_ENDS: Final = """SELECT series, start_at, end_at, count(*) FROM market_coverage
    WHERE series IN ('bars', 'open_interest') GROUP BY 1, 2, 3"""


class Stretch(NamedTuple):
    """So many instruments have this stretch of a series."""

    series: str
    start_at: dt.datetime
    end_at: dt.datetime
    instruments: int


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledgers of a bench's instruments."""

    connection: psycopg.Connection[tuple[object, ...]]

    @classmethod
    def at(cls, url: str) -> Self:
        """Reach them."""
        return cls(psycopg.connect(url, autocommit=True))

    def lift_budget(self) -> None:
        """Let no request wait for the venue's published limits, so that only this machine counts."""
        self.connection.execute(_LIFT)

    def begin(self, *, start_at: dt.datetime, end_at: dt.datetime) -> int:
        """Enable all instruments and let their ledgers end at ``end_at``; return how many they are."""
        count = self.connection.execute(_ENABLE).rowcount
        for series, timeframe, distance in _KEPT:
            edges = [floor(start_at, distance), floor(end_at, distance)]
            # Funding of an eight-hour step that is not over yet has nothing to be behind with.
            edges[0] = min(edges[0], edges[1] - distance)
            self.connection.execute(_BEGIN, [series, timeframe, *edges])
        return count

    def stretches(self) -> list[Stretch]:
        """Return what bars and open interest are stored."""
        rows: Iterable[tuple[object, ...]] = self.connection.execute(_ENDS).fetchall()
        return [Stretch(*row) for row in rows]  # type: ignore[arg-type]  # psycopg can not know the columns


def floor(at: dt.datetime, distance: dt.timedelta) -> dt.datetime:
    """Return the last multiple of ``distance`` that is not after ``at``."""
    return at - (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % distance
