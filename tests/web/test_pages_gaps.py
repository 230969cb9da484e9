"""What the picture is drawn from: gaps and what lies outside the built span are never the same as no estimate."""

from __future__ import annotations

import datetime as dt

import pytest

from heatmaps import operations as heatmaps
from heatmaps import queries
from heatmaps.core.tile import GAP, LEVELS, TILE
from market.models import Bar, OpenInterest
from market.series import epoch_ms
from tests.factories import make_instrument
from tests.world import add_bars

pytestmark = pytest.mark.django_db
END = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
HOLE = (END - dt.timedelta(hours=30), END - dt.timedelta(hours=24))


def is_gap(*, level: int, end: dt.datetime = END) -> list[bool]:
    """Return for each column from three days before the end to one day after it whether it is a gap."""
    instrument = make_instrument(symbol="ETHUSDT")
    add_bars(instrument=instrument, end=END, hours=60)
    for model, moment in ((Bar, "open_time"), (OpenInterest, "time")):
        model.objects.filter(**{f"{moment}__gte": HOLE[0], f"{moment}__lt": HOLE[1]}).delete()
    heatmaps.advance(instrument_id=instrument.pk, now=END)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    assert heatmap is not None
    heatmap.built_through, heatmap.provisional_through = end, None
    step_ms = LEVELS[level].step_ms
    first, last = (epoch_ms(END + dt.timedelta(days=days)) // step_ms for days in (-3, 1))
    row = (heatmap.bin_lo or 0) // LEVELS[level].factor // TILE
    cols = (first // TILE, last // TILE)
    codes = queries.read_codes(heatmap=heatmap, level=level, rows=(row - 1, row), cols=cols)
    shown = codes[:, first - cols[0] * TILE : last - cols[0] * TILE]
    assert ((shown == GAP).all(axis=0) == (shown == GAP).any(axis=0)).all()
    found: list[bool] = (shown == GAP).all(axis=0).tolist()
    return found


def test_gaps_and_the_unbuilt_read_as_gaps_at_every_price() -> None:
    found = is_gap(level=1)
    hours_ago = range(72, -24, -1)
    # A column is named by its start and shows its end: the map begins 60 hours ago and ends now; data are missing from
    # 30 hours ago on, and the first sample after that came at the end of the column that began 25 hours ago.
    expected = [hours > 60 or hours <= 0 or 25 < hours <= 30 for hours in hours_ago]
    assert found == expected


def test_what_is_stored_beyond_the_pointer_is_not_shown() -> None:
    found = is_gap(level=0, end=END - dt.timedelta(hours=2))
    after = found[(72 - 2) * 12 :]
    assert (found[(72 - 2) * 12 - 1], after) == (False, [True] * len(after))
