"""What is stored of an instrument, held against what its venue knows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from market.models import Coverage, Hole, Quarantine, Revision
from market.operations.schema import TABLES, series_key
from market.queries import load_bars, load_funding, load_open_interest
from market.queries.rows import load_page
from market.series import DTYPES, HOUR_MS, MINUTE_MS, OPTIONAL, epoch_ms, moment
from tests.double import truth

if TYPE_CHECKING:
    from market.models import Instrument
    from market.series import Records, SeriesName
    from tests.double import Double
    from tests.double.market import Listing

SERIES: Final[tuple[SeriesName, ...]] = ("bars", "mark_bars", "open_interest", "funding", "account_ratio")
TOLERANCE: Final = 1e-9
# An account ratio is written with four digits.
COARSE: Final = {"account_ratio": 2e-3, "open_interest_value": 1e-3}
Row: TypeAlias = tuple[float, ...]
# A bar that was still open looks like one that has closed: only the next answer can tell.
BELIEVABLE: Final = frozenset({"open_as_closed"})


def told(double: Double, listing: Listing, series: SeriesName, span: tuple[int, int], *, now: int) -> Records:
    """Return the truth of a series within a span as this house's records."""
    rows: list[Any]
    since, until = span
    if series in {"bars", "mark_bars"}:
        name = "bars" if series == "bars" else "marks"
        rows = truth.bars(listing, since=since, until=until, now=now, series=name)
    elif series == "open_interest":
        samples = truth.open_interest(listing, since=since, until=until, now=now)
        rows = [(one.time, one.open_interest, math.nan, math.nan) for one in samples]
    elif series == "funding":
        rows = [(one.time, one.rate, one.hours * 3600.0) for one in truth.funding(listing, since=since, until=until)]
    else:
        shares = double.venues[listing.slug].ratio(listing, since, until)
        rows = [(time, long / (10_000 - long)) for time, long in shares]
    return np.array([tuple(row) for row in rows], dtype=DTYPES[series])


class Judge:
    """Remembers what was true whenever the product asked, and finds what is stored and was never true."""

    def __init__(self, double: Double, instrument: Instrument, series: SeriesName, since: int) -> None:
        self.double, self.instrument, self.since = double, instrument, since
        self.series: list[SeriesName] = [series]
        self.listing = double.market.listing(instrument.venue, instrument.symbol)
        self.truths: dict[SeriesName, dict[int, list[Row]]] = {name: {} for name in self.series}

    def look(self, now: int) -> None:
        """Note what is true now."""
        for series in self.series:
            since = self.since - (24 * HOUR_MS if series == "funding" else 0)
            rows = told(self.double, self.listing, series, (since, now), now=now)
            for row in rows.tolist():
                self.truths[series].setdefault(int(row[0]), []).append(row)

    def findings(self, *, now: int, must_hold: bool, fault: str) -> list[str]:
        """Return what must not be, in words."""
        self.look(now)
        found = [f"{len(asked)} requests during a ban"] if (asked := self.double.ledger.during_bans()) else []
        for series in self.series:
            found += self._of(series, now, fault)
        if must_hold and not Quarantine.objects.exists():
            found.append("an answer was spoilt, and nothing is in quarantine")
        if Quarantine.objects.filter(reason="").exists():
            found.append("something is held without a reason")
        return found

    def _of(self, series: SeriesName, now: int, fault: str) -> list[str]:
        rows, truths = self._stored(series, now), self.truths[series]
        names = rows.dtype.names or ()
        found = []
        for row in rows.tolist():
            known = truths.get(int(row[0]))
            if known is None:
                found.append(f"{series}: invented {row}")
            elif not same(row, known[-1], names, series):
                found.append(f"{series}: stored {row}, true is {known[-1]}")
        have = set(rows[names[0]].tolist())
        missing = sorted(time for time in truths if time not in have and self._is_due(series, time, now))
        if missing:
            found.append(f"{series}: {len(missing)} rows never came, the first at {moment(missing[0])}")
        found += self._unsaid(series, missing)
        if fault not in BELIEVABLE:
            found += self._former(series, names)
        return found

    def _is_due(self, series: SeriesName, time: int, now: int) -> bool:
        ended = self.listing.ended_ms
        return time >= self.since and time + (MINUTE_MS if TABLES[series].is_bars else 0) <= min(now, ended)

    def _unsaid(self, series: SeriesName, missing: list[int]) -> list[str]:
        """Find what is missing inside of what the ledger says is whole, or that no hole speaks of."""
        offer_step = 60 if TABLES[series].is_bars else 300
        key = series_key(self.instrument.pk, series, offer_step)
        whole = [(epoch_ms(row.start_at), epoch_ms(row.end_at)) for row in Coverage.objects.filter(**key.fields)]
        holes = [(epoch_ms(row.start_at), epoch_ms(row.end_at)) for row in Hole.objects.filter(**key.fields)]
        end = max((stop for _, stop in whole), default=0)
        found = []
        for time in missing:
            if any(start <= time < stop for start, stop in whole):
                found.append(f"{series}: the ledger has {moment(time)}, the table does not")
            elif time < end and not any(start <= time < stop for start, stop in holes):
                found.append(f"{series}: no hole speaks of {moment(time)}")
        return found

    def _former(self, series: SeriesName, names: tuple[str, ...]) -> list[str]:
        found = []
        for revision in Revision.objects.filter(instrument=self.instrument, series=series):
            time = epoch_ms(revision.key_time)
            row = (time, *(math.nan if (value := revision.former.get(name)) is None else value for name in names[1:]))
            if not any(same(row, other, names, series) for other in self.truths[series].get(time, ())):
                found.append(f"{series}: once held {row}")
        return found

    def _stored(self, series: SeriesName, now: int) -> Records:
        is_bars = TABLES[series].is_bars  # bars begin at or after a moment, samples after it
        since, until = moment(self.since - (not is_bars)), moment(now + 24 * HOUR_MS)
        pk = self.instrument.pk
        if series in {"bars", "mark_bars"}:
            kind = int(series == "mark_bars")
            return load_bars(instrument_id=pk, since=since, until=until, timeframe=60, price_kind=kind)
        if series == "open_interest":
            return load_open_interest(instrument_id=pk, since=since, until=until)
        if series == "funding":
            return load_funding(instrument_id=pk, since=since, until=until)
        return load_page(instrument_id=pk, series=series, since=since, until=until, most=10_000).rows


def same(row: Row, other: Row, names: tuple[str, ...], series: str) -> bool:
    """Tell whether two rows are one; what only one of them tells does not part them where it is optional."""
    for name, left, right in zip(names, row, other, strict=True):
        if name in OPTIONAL and (math.isnan(left) or math.isnan(right)):
            continue
        tolerance = COARSE.get(name, COARSE.get(series, TOLERANCE))
        if not (math.isclose(left, right, rel_tol=tolerance) or (math.isnan(left) and math.isnan(right))):
            return False
    return True
