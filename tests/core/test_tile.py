from __future__ import annotations

import gzip
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from heatmaps.core.tile import (
    GAP,
    LEVELS,
    SPINE,
    TILE,
    code_floor,
    codes_from_usd,
    decode,
    decode_spine,
    encode,
    encode_spine,
    usd_from_code,
)

FLOOR = 20_000.0


def test_codes_have_known_values() -> None:
    density = np.array([0.0, 0.9 * FLOOR, FLOOR, 2 * FLOOR, FLOOR * 2 ** (253 / 16), 1e300])
    assert codes_from_usd(density, FLOOR).tolist() == [0, 0, 1, 17, 254, 254]
    assert usd_from_code(np.array([0, 1, 17, GAP]), FLOOR).tolist() == [0.0, FLOOR, 2 * FLOOR, 0.0]


@given(hnp.arrays(np.float64, 50, elements=st.floats(FLOOR, FLOOR * 2.0 ** (253 / 16))))
def test_round_trip_stays_within_its_error(density: np.ndarray) -> None:
    back = usd_from_code(codes_from_usd(density, FLOOR), FLOOR)
    assert np.abs(back / density - 1).max() <= 0.0225


def test_round_trip_keeps_the_mass() -> None:
    density = np.random.default_rng(3).lognormal(np.log(2e7), 1.0, (TILE, TILE))
    back = usd_from_code(codes_from_usd(density, FLOOR), FLOOR)
    assert abs(back.sum() / density.sum() - 1) <= 1e-3


@given(st.integers(0, 2**32 - 1))
def test_tile_bytes_give_the_codes_back(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 256, (TILE, TILE)).astype(np.uint8)
    body = encode(codes)
    np.testing.assert_array_equal(decode(body), codes)
    assert encode(codes) == body


def test_tile_bytes_are_what_the_browser_reads() -> None:
    codes = np.zeros((TILE, TILE), np.uint8)
    codes[3, 5:] = 7
    codes[3, 6] = 4
    plain = gzip.decompress(encode(codes))
    assert len(plain) == TILE * TILE
    row = plain[3 * TILE : 4 * TILE]
    assert (row[4], row[5], row[6], row[7], row[8]) == (0, 7, 256 - 3, 3, 0)


def test_tile_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        decode(gzip.compress(b"short"))


def test_spine_bytes_give_the_spine_back() -> None:
    spine = np.zeros(TILE, SPINE)
    spine["close"] = np.arange(TILE) + 0.5
    spine["digest"][7] = 9
    assert decode_spine(encode_spine(spine)).tobytes() == spine.tobytes()


@pytest.mark.parametrize(("usd", "floor"), [(8e9, 20_000.0), (1e9, 2_500.0), (1.6e10, 40_000.0), (0.0, 0.0)])
def test_code_floor_follows_the_size_of_the_contract(usd: float, floor: float) -> None:
    assert code_floor(usd) == pytest.approx(floor, abs=1e-2)


def test_levels_nest() -> None:
    for finer, coarser in itertools.pairwise(LEVELS):
        assert coarser.step_ms % finer.step_ms == 0
        assert coarser.factor % finer.factor == 0
