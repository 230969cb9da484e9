"""The simulated market seen from outside: what its source delivers."""

from __future__ import annotations

import random

import numpy as np
import pytest

from market.series import DAY_MS, HOUR_MS, MINUTE_MS
from market.sources.batch import Batch
from market.sources.simulated import SOURCE, positions
from market.sources.simulated.world import WORLDS

START_MS = 1_767_225_600_000  # 2026-01-01
DAYS = 3
SYMBOLS = sorted(WORLDS)
SERIES = ("bars", "open_interest", "funding", "liquidations")


def fetch(symbol: str, since_ms: int, until_ms: int, checkpoint: tuple[int, bytes] | None = None) -> Batch:
    return SOURCE.fetch(symbol=symbol, since_ms=since_ms, until_ms=until_ms, checkpoint=checkpoint)


@pytest.fixture(scope="module")
def batches() -> dict[str, Batch]:
    return {symbol: fetch(symbol, START_MS, START_MS + DAYS * DAY_MS) for symbol in SYMBOLS}


@pytest.fixture(params=SYMBOLS)
def symbol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def batch(symbol: str, batches: dict[str, Batch]) -> Batch:
    return batches[symbol]


def assert_same(left: Batch, right: Batch) -> None:
    for name in SERIES:
        assert getattr(left, name).tobytes() == getattr(right, name).tobytes(), name
    assert left.checkpoints == right.checkpoints


def joined(parts: list[Batch]) -> Batch:
    """Return parts as one fetch would have brought them: of the in-between ends only grid points are kept."""
    checkpoints = {c[0]: c for part in parts for c in part.checkpoints if c[0] % (6 * HOUR_MS) == 0}
    last = parts[-1].checkpoints[-1]
    return Batch(
        bars=np.concatenate([p.bars for p in parts]),
        open_interest=np.concatenate([p.open_interest for p in parts]),
        funding=np.concatenate([p.funding for p in parts]),
        liquidations=np.concatenate([p.liquidations for p in parts]),
        timeframe=parts[0].timeframe,
        checkpoints=tuple(sorted({**checkpoints, last[0]: last}.values())),
    )


def in_pieces(symbol: str, cuts: list[int]) -> Batch:
    """Fetch from cut to cut, each time from the newest checkpoint and the end of the last bar."""
    parts: list[Batch] = []
    newest = None
    for until_ms in cuts[1:]:
        since_ms = int(parts[-1].bars["open_time"][-1]) + MINUTE_MS if parts else cuts[0]
        part = fetch(symbol, since_ms, until_ms, newest)
        if len(part.bars):
            parts.append(part)
            newest = part.checkpoints[-1]
    return joined(parts)


def test_fetch_repeats_itself(symbol: str, batch: Batch) -> None:
    assert_same(fetch(symbol, START_MS, START_MS + DAYS * DAY_MS), batch)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_short_fetches_equal_one_long(symbol: str, seed: int) -> None:
    end_ms = START_MS + DAY_MS // 2
    cuts = sorted(random.Random(seed).sample(range(START_MS + MINUTE_MS, end_ms), 8))
    assert_same(in_pieces(symbol, [START_MS, *cuts, end_ms]), fetch(symbol, START_MS, end_ms))


def test_minute_by_minute_equals_one_long_fetch(symbol: str) -> None:
    end_ms = START_MS + 3 * HOUR_MS
    cuts = list(range(START_MS, end_ms + 1, MINUTE_MS))
    assert_same(in_pieces(symbol, cuts), fetch(symbol, START_MS, end_ms))


def test_market_that_begins_within_an_hour_resumes(symbol: str) -> None:
    start_ms, end_ms = START_MS + 37 * MINUTE_MS, START_MS + 7 * HOUR_MS
    cuts = [start_ms, START_MS + HOUR_MS, START_MS + 5 * HOUR_MS + 1, end_ms]
    assert_same(in_pieces(symbol, cuts), fetch(symbol, start_ms, end_ms))


def test_earlier_checkpoint_repeats_what_was_delivered(symbol: str, batch: Batch) -> None:
    since_ms, until_ms = START_MS + DAY_MS, START_MS + DAYS * DAY_MS
    again = fetch(symbol, since_ms, until_ms, batch.checkpoints[1])
    assert again.bars.tobytes() == batch.bars[batch.bars["open_time"] >= since_ms].tobytes()
    assert again.open_interest.tobytes() == batch.open_interest[batch.open_interest["time"] > since_ms].tobytes()
    assert again.funding.tobytes() == batch.funding[batch.funding["time"] > since_ms].tobytes()
    assert again.liquidations.tobytes() == batch.liquidations[batch.liquidations["time"] >= since_ms].tobytes()
    assert again.checkpoints == batch.checkpoints[2:]


def test_path_does_not_depend_on_the_date(symbol: str, batch: Batch) -> None:
    shift = 400 * DAY_MS + 17 * MINUTE_MS
    later = fetch(symbol, START_MS + shift, START_MS + shift + DAY_MS).bars
    later["open_time"] -= shift
    assert later.tobytes() == batch.bars[:1440].tobytes()


def test_start_within_a_minute_waits_for_the_next(symbol: str) -> None:
    bars = fetch(symbol, START_MS + 1, START_MS + 3 * MINUTE_MS).bars
    assert bars["open_time"].tolist() == [START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS]


def test_instruments_do_not_share_a_path(batches: dict[str, Batch]) -> None:
    first, second = (np.diff(np.log(batches[s].bars["close"])) for s in SYMBOLS)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_bars_follow_without_a_gap(batch: Batch) -> None:
    assert np.array_equal(batch.bars["open"][1:], batch.bars["close"][:-1])


def test_samples_are_on_the_utc_grid(batch: Batch) -> None:
    end_ms = START_MS + DAYS * DAY_MS
    assert np.array_equal(batch.open_interest["time"], np.arange(START_MS + 5 * MINUTE_MS, end_ms + 1, 5 * MINUTE_MS))
    assert np.array_equal(batch.funding["time"], np.arange(START_MS + 8 * HOUR_MS, end_ms + 1, 8 * HOUR_MS))
    grid = range(START_MS + 6 * HOUR_MS, end_ms + 1, 6 * HOUR_MS)
    assert [as_of for as_of, _ in batch.checkpoints] == list(grid)


def test_prices_are_whole_ticks_and_quantities_whole_lots(symbol: str, batch: Batch) -> None:
    world = WORLDS[symbol]
    for values, unit in (
        *((batch.bars[name], world.ticks_per_unit) for name in ("open", "high", "low", "close")),
        (batch.liquidations["price"], world.ticks_per_unit),
        *((batch.bars[name], world.lots_per_unit) for name in ("volume", "taker_buy_volume")),
        (batch.liquidations["quantity"], world.lots_per_unit),
        (batch.open_interest["open_interest"], world.lots_per_unit),
    ):
        assert np.array_equal(np.rint(values * unit) / unit, values)


def test_grids_match_the_facts(symbol: str) -> None:
    world = WORLDS[symbol]
    assert float(world.facts.tick_size) * world.ticks_per_unit == 1.0
    assert float(world.facts.lot_size) * world.lots_per_unit == 1.0


def test_liquidations_happen_within_their_bar(batch: Batch) -> None:
    bars = batch.bars[(batch.liquidations["time"] - START_MS) // MINUTE_MS]
    assert (batch.liquidations["price"] >= bars["low"]).all()
    assert (batch.liquidations["price"] <= bars["high"]).all()


def test_volume_covers_the_change_of_open_interest(symbol: str, batch: Batch) -> None:
    interest = np.concatenate([[WORLDS[symbol].open_interest], batch.open_interest["open_interest"]])
    volume = batch.bars["volume"].reshape(-1, 5).sum(1)
    assert (volume >= np.abs(np.diff(interest))).all()


def test_open_interest_value_is_at_the_close(batch: Batch) -> None:
    sample = batch.open_interest
    assert np.array_equal(sample["mark_price"], batch.bars["close"][4::5])
    assert np.array_equal(sample["open_interest_value"], sample["open_interest"] * sample["mark_price"])


def test_true_positions_add_up_to_open_interest(batch: Batch) -> None:
    interest = dict(zip(batch.open_interest["time"].tolist(), batch.open_interest["open_interest"], strict=True))
    for as_of, body in batch.checkpoints:
        truth = positions(body)
        for side in (1, -1):
            held = truth["quantity"][truth["position_side"] == side].sum()
            assert held == pytest.approx(interest[as_of], rel=1e-12)


def test_true_liquidation_prices_lie_beyond_the_close(batch: Batch) -> None:
    closes = dict(zip((batch.bars["open_time"] + MINUTE_MS).tolist(), batch.bars["close"], strict=True))
    for as_of, body in batch.checkpoints:
        truth = positions(body)
        levels, longs = truth["liquidation_price"], truth["position_side"] == 1
        assert np.nanmax(levels[longs]) < closes[as_of] < np.nanmin(levels[~longs])
        assert np.nanmin(levels) > 0


def test_prints_are_of_positions_that_were_open(symbol: str, batch: Batch) -> None:
    """What was in the book at a checkpoint and is reached within the next minutes is printed as it stood there."""
    as_of, body = batch.checkpoints[4]
    world, bars = WORLDS[symbol], batch.bars[batch.bars["open_time"] >= as_of][:30]
    truth = positions(body)
    held = set(zip(truth["position_side"].tolist(), truth["liquidation_price"], truth["quantity"], strict=True))
    until = bars["open_time"][-1]
    prints = batch.liquidations[(batch.liquidations["time"] >= as_of) & (batch.liquidations["time"] < until)]
    known = [p for p in prints if (int(p["position_side"]), p["price"], p["quantity"]) in held]
    assert len(known) > 0.5 * len(prints) > 0, world.facts.symbol


def test_market_is_lifelike(batch: Batch) -> None:
    """Bands wide enough for any seed of these three days, narrow enough to notice a broken market."""
    bars, interest, prints = batch.bars, batch.open_interest["open_interest"], batch.liquidations
    moves = np.diff(np.log(bars["close"]))
    assert 0.01 < moves.std() * np.sqrt(1440) < 0.06
    assert np.abs(moves).max() < 0.03
    assert 0.8 < interest.min() / interest.max() < 0.995
    assert 2 < bars["volume"].sum() / interest.mean() / DAYS < 12
    assert 0.005 < prints["quantity"].sum() / interest.mean() / DAYS < 0.15
    assert np.corrcoef(bars["volume"][1:], np.abs(moves))[0, 1] > 0.2
    assert 0.4 < bars["taker_buy_volume"].sum() / bars["volume"].sum() < 0.6
    assert np.abs(batch.funding["rate"]).max() < 1e-3
    assert {1, -1} == set(prints["position_side"].tolist())
