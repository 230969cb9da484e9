"""What every source must keep that brings all series of a span at once; its line in SOURCES holds it to that.

One that asks over a network is given a server on loopback: one line in VENUES. What a venue must keep that is asked
series by series stands in ``tests/market/venues/test_contract.py``.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from market import sources
from market.series import BAR, DAY_MS, FUNDING, LIQUIDATION, MINUTE_MS, OPEN_INTEREST, OPTIONAL, validate
from market.sources import SOURCES, load_source
from market.sources.base import BatchSource, SourceError, is_venue
from tests.flow import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from market.sources.batch import Batch

SINCE_MS = 1_767_225_600_000  # 2026-01-01
UNTIL_MS = SINCE_MS + DAY_MS + 12_345  # not on any grid: the bar in which it lies is not closed


@contextmanager
def loopback_venue() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "SOURCES", {**SOURCES, "loopback": "tests.flow.loopback:SOURCE"})
        with loopback.Venue(start_ms=SINCE_MS, minutes=2 * DAY_MS // MINUTE_MS).serve() as address:
            patch.setenv(loopback.ADDRESS, address)
            yield


# slug -> what surrounds the source while it is asked.
VENUES = {"loopback": loopback_venue}
BATCH_SOURCES = [slug for slug in SOURCES if not is_venue(load_source(slug))]


@pytest.fixture(scope="module", params=sorted({*BATCH_SOURCES, *VENUES}))
def source(request: pytest.FixtureRequest) -> Iterator[BatchSource]:
    with VENUES.get(request.param, nullcontext)():
        source = load_source(request.param)
        assert not is_venue(source)
        yield source


@pytest.fixture(scope="module")
def batches(source: BatchSource) -> list[Batch]:
    """One day of each instrument."""
    return [
        source.fetch(symbol=facts.symbol, since_ms=SINCE_MS, until_ms=UNTIL_MS, checkpoint=None)
        for facts in source.instruments()
    ]


def test_source_presents_itself(source: BatchSource) -> None:
    registered = sources.SOURCES[source.slug]
    assert registered.startswith("market.sources." if source.slug in SOURCES else "tests.")
    assert isinstance(source.is_simulated, bool)
    assert source.history_ms >= DAY_MS


def test_instruments_state_their_terms(source: BatchSource) -> None:
    facts = source.instruments()
    assert facts
    assert len({f.symbol for f in facts}) == len(facts)
    assert {f.contract_type for f in facts} <= {"linear", "inverse"}
    assert all(Decimal(f.tick_size) > 0 and Decimal(f.lot_size) > 0 and f.contract_size > 0 for f in facts)


def test_batch_has_the_dtypes_of_the_series(batches: list[Batch]) -> None:
    for batch in batches:
        found = [x.dtype for x in (batch.bars, batch.open_interest, batch.funding, batch.liquidations)]
        assert found == [BAR, OPEN_INTEREST, FUNDING, LIQUIDATION]


def test_bars_are_closed_aligned_and_complete(batches: list[Batch]) -> None:
    for batch in batches:
        step = batch.timeframe * 1000
        first = -(-SINCE_MS // step) * step
        assert np.array_equal(batch.bars["open_time"], np.arange(first, UNTIL_MS - step + 1, step))


def test_bars_hold_together(batches: list[Batch]) -> None:
    for batch in batches:
        bars = batch.bars
        for name in BAR.names or ():
            assert name in OPTIONAL or np.isfinite(bars[name]).all(), name
        assert (bars["low"] > 0).all()
        assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
        assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
        assert not (bars["taker_buy_volume"] > bars["volume"]).any()
        assert not (bars["taker_buy_volume"] < 0).any()
        assert not (bars["quote_volume"] < bars["low"] * bars["volume"] * (1 - 1e-9)).any()
        assert not (bars["quote_volume"] > bars["high"] * bars["volume"] * (1 + 1e-9)).any()


def test_rows_are_believed_by_the_rooms_own_checks(batches: list[Batch]) -> None:
    for batch in batches:
        for rows in (batch.bars, batch.open_interest, batch.funding, batch.liquidations):
            timeframe = batch.timeframe if rows.dtype == BAR else 0
            validated = validate(rows, now_ms=UNTIL_MS, timeframe=timeframe)
            assert validated.rejected == ()
            assert validated.rows.tobytes() == rows.tobytes()


def test_samples_lie_in_the_window(batches: list[Batch]) -> None:
    for batch in batches:
        for series in (batch.open_interest, batch.funding):
            times = series["time"]
            assert len(times)
            assert times[0] > SINCE_MS
            assert times[-1] <= UNTIL_MS
            assert (np.diff(times) > 0).all()
        assert (batch.open_interest["open_interest"] > 0).all()
        assert (np.abs(batch.funding["rate"]) < 1).all()


def test_liquidations_lie_in_the_window_and_are_told_apart(batches: list[Batch]) -> None:
    for batch in batches:
        prints = batch.liquidations
        assert ((prints["time"] >= SINCE_MS) & (prints["time"] < UNTIL_MS)).all()
        assert (np.diff(prints["time"]) >= 0).all()
        assert np.isin(prints["position_side"], [1, -1]).all()
        assert ((prints["price"] > 0) & (prints["quantity"] > 0)).all()
        assert len(np.unique(prints)) == len(prints)


def test_checkpoints_ascend_and_end_with_the_newest(batches: list[Batch]) -> None:
    for batch in batches:
        times = [as_of for as_of, _ in batch.checkpoints]
        assert times == sorted(set(times))
        assert not times or times[-1] == batch.bars["open_time"][-1] + batch.timeframe * 1000


def test_window_without_a_closed_bar_is_empty(source: BatchSource) -> None:
    symbol = source.instruments()[0].symbol
    batch = source.fetch(symbol=symbol, since_ms=SINCE_MS, until_ms=SINCE_MS + 59_999, checkpoint=None)
    series = (batch.bars, batch.open_interest, batch.funding, batch.liquidations)
    assert [(len(x), x.dtype) for x in series] == [(0, BAR), (0, OPEN_INTEREST), (0, FUNDING), (0, LIQUIDATION)]
    assert batch.checkpoints == ()


def test_unknown_symbol_is_refused_for_good(source: BatchSource) -> None:
    with pytest.raises(SourceError, match="NOPE") as caught:
        source.fetch(symbol="NOPE", since_ms=SINCE_MS, until_ms=UNTIL_MS, checkpoint=None)
    assert caught.value.permanent is True


def test_unknown_source_is_refused_for_good() -> None:
    with pytest.raises(SourceError, match="'nope'") as caught:
        load_source("nope")
    assert caught.value.permanent is True
