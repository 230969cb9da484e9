"""The rows that everything around a price rests on, read together.

Bars, open interest, funding, the hours of the layers, what was learnt of how far prices go, and the last day of a map.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from market import queries as market
from market.series import HOUR_MS, STEP_MS, epoch_ms, moment

from .layers import ask_hourly
from .reach import MEMORY, STEP, ask_learnt, learnt_in
from .slices import ask_newest_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heatmaps.models import Heatmap, Reach
    from market.models import Instrument
    from market.series import Records

_DAY: Final = dt.timedelta(days=1)
# Prints enough to see how far apart they are.
FUNDING_SPAN: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Around:
    """Rows by one moment ``as_of``.

    week: BAR of five minutes, those behind a forecast of the variance and the open one; open_interest: of a day and
    four steps more, as the newest may be late; funding: of seven days; reach: what had been learnt by then; hourly:
    what the layers need, and tiles: what ``newest_day`` needs, where asked for.
    """

    as_of: dt.datetime
    week: Records
    open_interest: Records
    funding: Records
    reach: Reach | None = None
    tiles: Records | None = None
    hourly: Mapping[str, Records] | None = None

    @property
    def day(self) -> Records:
        """The bars of a day and one step more: the close 24 h ago belongs to the bar that ended then."""
        since = epoch_ms(self.as_of - _DAY - STEP) // STEP_MS * STEP_MS
        return self.week[self.week["open_time"] >= since]


def read_around(
    *,
    instrument: Instrument,
    as_of: dt.datetime,
    with_hours: bool,
    heatmap: Heatmap | None = None,
    at: dt.datetime | None = None,
) -> Around:
    """Read the rows around a moment in one statement; with a map also its last day by ``at``."""
    pk, edge = instrument.pk, moment(epoch_ms(as_of) // STEP_MS * STEP_MS)
    hour = moment(epoch_ms(as_of) // HOUR_MS * HOUR_MS)
    hourly = ask_hourly(instrument_id=pk, until=hour) if with_hours else {}
    day = ask_newest_day(heatmap=heatmap, at=at) if heatmap is not None else None
    week, open_interest, funding, learnt, *more = market.answer(
        market.ask_bars(instrument_id=pk, since=edge - MEMORY, until=as_of, timeframe=STEP_MS // 1000),
        market.ask_open_interest(instrument_id=pk, since=as_of - _DAY - 4 * STEP, until=as_of),
        market.ask_funding(instrument_id=pk, since=as_of - FUNDING_SPAN, until=as_of),
        ask_learnt(instrument_id=pk, at=as_of),
        *hourly.values(),
        *((day,) if day else ()),
    )
    tiles = more.pop() if day else None
    hours = dict(zip(hourly, more, strict=True)) or None
    return Around(as_of, week, open_interest, funding, learnt_in(learnt), tiles, hours)
