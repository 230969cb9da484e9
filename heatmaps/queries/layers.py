"""The context layers of an instrument at a moment, computed from what is stored of its last months."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from heatmaps.core.layers import Hours, read
from heatmaps.core.layers.base import HISTORY, WINDOW
from market import queries as market
from market.series import HOUR_MS, SeriesName, epoch_ms, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heatmaps.core.layers import Reading
    from market.models import Instrument
    from market.series import Records

# Why a pair has no funding.
ONE_A_VENUE: Final = "one for each venue"
_HOUR: Final = dt.timedelta(hours=1)
_SAMPLES: Final[tuple[SeriesName, ...]] = ("open_interest", "depth", "account_ratio")


@dataclass(frozen=True, slots=True)
class LayerView:
    """The layers as of ``at``, the end of the last complete hour.

    hours, readings: of the newest HISTORY hours; newest: the time of the last row of each series that has any by then.
    """

    at: dt.datetime
    hours: Hours
    readings: Mapping[str, Reading]
    newest: Mapping[str, dt.datetime]

    @property
    def depth(self) -> np.void:
        """The order book's profile at the hour's end; NaN where none is stored."""
        row: np.void = self.hours.depth[-1]
        return row


def has_same_members(*, instrument: Instrument, times: Sequence[dt.datetime]) -> bool:
    """Tell whether a pair's sums at these moments are of the same members; of one instrument they always are."""
    if not instrument.is_pair:
        return True
    return len({market.counted_members(pair_id=instrument.pk, at=time) for time in times}) == 1


def read_layers(
    *,
    instrument: Instrument,
    at: dt.datetime,
    slugs: Sequence[str] | None = None,
    series: Mapping[str, Records] | None = None,
) -> LayerView:
    """Read every layer from the hours that were complete at a moment; nothing later is looked at.

    slugs: only these, with what they rest on; series: what ``load_hourly`` returns, where somebody has read it.
    """
    end_ms = epoch_ms(at) // HOUR_MS * HOUR_MS
    series = series or load_hourly(instrument_id=instrument.pk, until=moment(end_ms))
    hours = Hours.of(end_ms=end_ms, count=WINDOW, series=series)
    readings = read(hours, slugs=slugs)
    if instrument.is_pair:
        readings = _of_pair(instrument, readings, moment(end_ms))
    return LayerView(
        at=moment(end_ms),
        hours=hours.part(WINDOW - HISTORY, WINDOW),
        readings={slug: reading.newest(HISTORY) for slug, reading in readings.items()},
        newest={name: moment(_last(name, rows)) for name, rows in series.items() if len(rows)},
    )


def _of_pair(instrument: Instrument, readings: Mapping[str, Reading], at: dt.datetime) -> dict[str, Reading]:
    """Take back what a sum of venues can not say: one funding rate, and a change from a sum of other members."""
    found = dict(readings)
    for slug in ("funding", "crowding"):
        found[slug] = _without(found[slug], ONE_A_VENUE)
    interest = found["open-interest"]
    if not interest.reason and not has_same_members(instrument=instrument, times=[at - 24 * _HOUR, at]):
        found["open-interest"] = _without(interest, "other members 24h ago")
    return found


def _without(reading: Reading, reason: str) -> Reading:
    return replace(reading, values=np.append(reading.values[:-1], np.nan), reason=reason)


def load_hourly(*, instrument_id: int, until: dt.datetime) -> dict[str, Records]:
    """Return what the layers need of the WINDOW hours that end with ``until``, a whole hour, by series."""
    asked = ask_hourly(instrument_id=instrument_id, until=until)
    return dict(zip(asked, market.answer(*asked.values()), strict=True))


def ask_hourly(*, instrument_id: int, until: dt.datetime) -> dict[str, market.Question]:
    """Ask what ``load_hourly`` returns."""
    since = until - WINDOW * _HOUR
    asked = {
        "bars": market.ask_bars(instrument_id=instrument_id, since=since, until=until, timeframe=3600),
        "funding": market.ask_funding(instrument_id=instrument_id, since=since, until=until),
    }
    for name in _SAMPLES:
        asked[name] = market.ask_last_of_hours(instrument_id=instrument_id, series=name, since=since, until=until)
    return asked


def _last(name: str, rows: Records) -> int:
    return int(rows["open_time"][-1]) + HOUR_MS if name == "bars" else int(rows["time"][-1])
