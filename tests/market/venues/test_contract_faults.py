"""Whatever goes wrong with one answer of a venue: no untrue row is believed, and what can't be is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from market.series import MINUTE_MS, OPTIONAL, validate
from market.sources import exchange
from market.sources.base import SourceError
from tests.double import ManualClock, serve, synthetic_market
from tests.double.fault_answers import ANSWER_FAULTS
from tests.double.fault_fields import FIELD_FAULTS
from tests.double.fault_rows import ROW_FAULTS, FutureBar
from tests.market.venues.side import NOON, NOW, SLUGS, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.series import Records, SeriesName
    from market.sources.base import Part
    from tests.double.faults import Fault

# What one answer can't tell, but others do: a closed bar that was an open one, by asking again; another unit, and
# changed places of OKX's lists, by what is stored (market.operations.reading).
BEYOND_ONE_ANSWER: Final = ("open_as_closed", "unit_change")
ONLY_BY_PLACES: Final = ("okx", "open_interest", "field_renamed")
# Rows that an answer simply does not have are asked for again before they count as absent.
ABSENT: Final = ("late_row", "page_boundary")
FAULTS: Final = [fault for fault in (*ANSWER_FAULTS, *FIELD_FAULTS, *ROW_FAULTS) if fault.name not in BEYOND_ONE_ANSWER]
HOUR: Final = 60 * MINUTE_MS
SPANS: Final[dict[SeriesName, int]] = {"bars": HOUR, "mark_bars": HOUR, "open_interest": HOUR, "funding": 72 * HOUR}


def rows_of(side: Side, series: SeriesName, rows: Records) -> Records:
    """Return the rows that the room's own checks let pass."""
    is_bars = series in {"bars", "mark_bars"}
    timeframe = side.venue.offers[series].timeframe if is_bars else 0
    return validate(rows, now_ms=NOW, timeframe=timeframe, is_mark=series == "mark_bars").rows


def is_true(row: np.void, true: Records) -> bool:
    """Tell whether a row is the truth, or as much of it as may be left untold."""
    (first, *others) = true.dtype.names or ()
    found = true[true[first] == row[first]]
    return len(found) == 1 and all(
        row[name] == found[0][name] or (np.isnan(row[name]) and (name in OPTIONAL or np.isnan(found[0][name])))
        for name in others
    )


@pytest.fixture(params=SLUGS)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with serve(market=synthetic_market(2, slugs=[request.param]), clock=ManualClock(NOW)) as double:
        yield Side(double, request.param)


def read_spoilt(side: Side, series: SeriesName, fault: Fault) -> Part | None:
    """Ask while a fault is in force; None where the venue could not be read at all."""
    side.double.inject(fault)
    try:
        return side.read(series, NOON - SPANS[series], NOON)
    except SourceError:
        return None
    finally:
        side.double.clear()


@pytest.mark.parametrize("series", ["bars", "mark_bars"])
def test_a_bar_that_has_not_happened_is_said(side: Side, series: SeriesName) -> None:
    if series not in side.venue.offers:
        pytest.skip(f"{side.venue.name} does not tell {series}")
    part = read_spoilt(side, series, FutureBar(slug=side.slug, times=None))
    assert part is not None
    assert ([fault.reason for fault in part.faults], part.covered) == (["it lies in the future"], None)
    assert len(part.rows) == HOUR // MINUTE_MS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_no_untrue_row_is_believed_and_none_is_lost_unsaid(
    side: Side, fault: type[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = [
        series for series in SPANS if series in side.venue.offers and (side.slug, series, fault.name) != ONLY_BY_PLACES
    ]
    whole = {series: rows_of(side, series, side.read(series, NOON - SPANS[series], NOON).rows) for series in offered}
    monkeypatch.setattr(exchange, "READ_S", 0.3)
    monkeypatch.setattr(exchange, "TOTAL_S", 0.6)
    for series, true in whole.items():
        for seed in range(1 if fault in ANSWER_FAULTS else 3):
            part = read_spoilt(side, series, fault(slug=side.slug, times=None, seed=seed))
            if part is None:
                continue
            believed = rows_of(side, series, part.rows)
            assert [row for row in believed if not is_true(row, true)] == []
            is_said = bool(part.faults) or len(believed) < len(part.rows)
            assert len(believed) == len(true) or is_said or fault.name in ABSENT
            assert part.covered is None or not part.faults
