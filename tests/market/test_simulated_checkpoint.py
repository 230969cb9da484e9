"""Checkpoints of the simulated market: exact, compact, readable as truth, and refused when damaged."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from market.series import DAY_MS, HOUR_MS
from market.sources.base import SourceError
from market.sources.simulated import POSITION, SOURCE, positions
from market.sources.simulated.checkpoint import BODY_MAX, HEADER, MAGIC, pack, unpack
from market.sources.simulated.genesis import begin
from market.sources.simulated.world import LEVERAGE, MAINTENANCE, WORLDS

START_MS = 1_767_225_600_000
SYMBOL = "SIMBTC-USDT"


@pytest.fixture(scope="module")
def checkpoint() -> tuple[int, bytes]:
    batch = SOURCE.fetch(symbol=SYMBOL, since_ms=START_MS, until_ms=START_MS + DAY_MS, checkpoint=None)
    return batch.checkpoints[-1]


@pytest.fixture(scope="module")
def body(checkpoint: tuple[int, bytes]) -> bytes:
    return checkpoint[1]


def resume(checkpoint: tuple[int, bytes], symbol: str = SYMBOL) -> None:
    as_of = checkpoint[0]
    SOURCE.fetch(symbol=symbol, since_ms=as_of, until_ms=as_of + HOUR_MS, checkpoint=checkpoint)


def sealed(plain: bytes, layout: int = 1) -> bytes:
    """Wrap content in a head and checksum that are right."""
    deflated = zlib.compress(plain)
    return MAGIC + bytes([layout]) + zlib.crc32(deflated).to_bytes(4, "little") + deflated


def test_pack_of_unpack_is_the_same_bytes(body: bytes) -> None:
    assert pack(unpack(body)) == body


@pytest.mark.parametrize("symbol", sorted(WORLDS))
def test_unpacked_market_equals_the_packed_one(symbol: str) -> None:
    market = begin(world=WORLDS[symbol], start_ms=START_MS)
    for _ in range(90):
        market.step()
    copy = unpack(pack(market))
    assert (copy.start_ms, copy.minute, copy.state) == (market.start_ms, market.minute, market.state)
    assert (copy.book.count, copy.book.total) == (market.book.count, market.book.total)
    for row, count in enumerate(market.book.count):
        assert np.array_equal(copy.book.cells[:, row, :count], market.book.cells[:, row, :count])


def test_checkpoint_is_small(body: bytes) -> None:
    assert len(body) < 300_000


def test_positions_have_true_prices(body: bytes) -> None:
    truth = positions(body)
    assert truth.dtype == POSITION
    assert len(truth) > 1000
    side, leverage, level = truth["position_side"], truth["leverage"], truth["liquidation_price"]
    exact = truth["entry"] * (1 - side / leverage) / (1 - side * np.interp(leverage, LEVERAGE, MAINTENANCE))
    never = np.isnan(level)
    assert np.abs(level - np.maximum(exact, 0.1))[~never].max() <= 0.05 + 1e-9
    assert 0.05 < never.mean() < 0.3
    assert (truth["quantity"] > 0).all()
    assert ((leverage > 0) & (leverage <= 125)).all()
    assert (side * (truth["entry"] - level))[~never].min() > 0


def test_resume_refuses_another_instrument(checkpoint: tuple[int, bytes]) -> None:
    with pytest.raises(SourceError, match="SIMETH") as caught:
        resume(checkpoint, symbol="SIMETH-USDT")
    assert caught.value.permanent is True


def test_resume_refuses_another_time(checkpoint: tuple[int, bytes]) -> None:
    with pytest.raises(SourceError, match="ms, not of SIMBTC-USDT at") as caught:
        resume((checkpoint[0] + 60_000, checkpoint[1]))
    assert caught.value.permanent is True


@pytest.mark.parametrize("cut", [0, 3, HEADER - 1, HEADER, HEADER + 1, 2000, -1])
def test_checkpoint_cut_short_is_refused(checkpoint: tuple[int, bytes], cut: int) -> None:
    with pytest.raises(SourceError, match="checkpoint is damaged") as caught:
        resume((checkpoint[0], checkpoint[1][:cut]))
    assert caught.value.permanent is True


def test_checkpoint_with_a_flipped_bit_is_refused(checkpoint: tuple[int, bytes]) -> None:
    g = np.random.default_rng(1)
    for place in [*range(HEADER), *g.integers(HEADER, len(checkpoint[1]), 50).tolist()]:
        bad = bytearray(checkpoint[1])
        bad[place] ^= 1 << int(g.integers(8))
        with pytest.raises(SourceError, match="checkpoint is damaged"):
            resume((checkpoint[0], bytes(bad)))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"nonsense", "does not begin like one"),
        (sealed(b"{}\n", layout=9), "its layout is 9, this version reads 1"),
        (sealed(b"{}\n"), "'symbol'"),
        (sealed(b"[]\n"), "damaged"),
        (sealed(b"not json\n"), "damaged"),
        (sealed(b'{"symbol": "OTHER"}\n'), "'OTHER' is unknown"),
        (sealed(b'{"symbol": []}\n'), "damaged"),
        (sealed(bytes(BODY_MAX + 1)), "too large"),
    ],
)
def test_checkpoint_with_foreign_content_is_refused(bad: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        unpack(bad)
    assert caught.value.permanent is True
    assert isinstance(caught.value.__cause__, Exception)


def test_checkpoint_with_impossible_positions_is_refused(body: bytes) -> None:
    line, _, columns = zlib.decompress(body[HEADER:]).partition(b"\n")
    with pytest.raises(SourceError, match="can not be"):
        unpack(sealed(line + b"\n" + bytes(len(columns))))


@pytest.mark.parametrize("count", [[-1, 0, 0, 1], [10**9, 0, 0, 0], [1, 2], []])
def test_checkpoint_with_wrong_counts_is_refused(body: bytes, count: list[int]) -> None:
    plain = zlib.decompress(body[HEADER:])
    line, _, columns = plain.partition(b"\n")
    before = str(unpack(body).book.count).encode()
    assert before in line
    with pytest.raises(SourceError, match="wrong length"):
        unpack(sealed(line.replace(before, str(count).encode()) + b"\n" + columns))
