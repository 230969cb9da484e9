"""The rows that everything around a price rests on, read together: bars, open interest, funding, the layers' hours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from market import queries as market
from market.series import HOUR_MS, STEP_MS, epoch_ms, moment

from .layers import ask_hourly
from .reach import MEMORY, STEP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.models import Instrument
    from market.series import Records

_DAY: Final = dt.timedelta(days=1)
# Prints enough to see how far apart they are.
FUNDING_SPAN: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Around:
    """Rows by one moment ``as_of``.

    week: BAR of five minutes, those behind a forecast of the variance and the open one; open_interest: of a day and
    four steps more, as the newest may be late; funding: of seven days; hourly: what the layers need, where asked for.
    """

    as_of: dt.datetime
    week: Records
    open_interest: Records
    funding: Records
    hourly: Mapping[str, Records] | None = None

    @property
    def day(self) -> Records:
        """The bars of a day and one step more: the close 24 h ago belongs to the bar that ended then."""
        since = epoch_ms(self.as_of - _DAY - STEP) // STEP_MS * STEP_MS
        return self.week[self.week["open_time"] >= since]


def read_around(*, instrument: Instrument, as_of: dt.datetime, with_hours: bool) -> Around:
    """Read the rows around a moment in one statement."""
    pk, edge = instrument.pk, moment(epoch_ms(as_of) // STEP_MS * STEP_MS)
    hour = moment(epoch_ms(as_of) // HOUR_MS * HOUR_MS)
    hourly = ask_hourly(instrument_id=pk, until=hour) if with_hours else {}
    week, open_interest, funding, *hours = market.answer(
        market.ask_bars(instrument_id=pk, since=edge - MEMORY, until=as_of, timeframe=STEP_MS // 1000),
        market.ask_open_interest(instrument_id=pk, since=as_of - _DAY - 4 * STEP, until=as_of),
        market.ask_funding(instrument_id=pk, since=as_of - FUNDING_SPAN, until=as_of),
        *hourly.values(),
    )
    return Around(as_of, week, open_interest, funding, dict(zip(hourly, hours, strict=True)) or None)
