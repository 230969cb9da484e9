"""What rests near the middle of a book."""

from __future__ import annotations

import numpy as np
import pytest

from market.series import DEPTH, DEPTH_BPS
from market.sources.depth import profile
from market.sources.strict import UnreadableError


def side(away: int, *levels: tuple[float, float]) -> list[tuple[float, float]]:
    """Return levels so many basis points away from 10,000."""
    return [(10_000 + away * bps, value) for bps, value in levels]


def test_profile_sums_what_lies_within_and_leaves_out_what_was_not_shown() -> None:
    bids = side(-1, (1, 100.0), (10, 20.0), (25.5, 3.0), (120, 1.0))
    asks = side(1, (1, 7.0), (500, 5.0))
    row = np.array([profile(time_ms=60_000, bids=bids, asks=asks)], DEPTH)[0]
    assert (row["time"], row["mid"]) == (60_000, 10_000.0)
    found = [[row[f"{name}_{bps}"] for bps in DEPTH_BPS] for name in ("bid", "ask")]
    nan = np.nan
    np.testing.assert_array_equal(found, [[120.0, 120.0, 123.0, 123.0, nan, nan], [7.0, 7.0, 7.0, 7.0, 7.0, 12.0]])


def test_level_at_a_distance_lies_within_it_however_it_is_rounded() -> None:
    bids, asks = [(0.09999, 1.0), (0.0999, 2.0)], [(0.10001, 4.0), (0.1001, 8.0)]
    row = np.array([profile(time_ms=0, bids=bids, asks=asks)], DEPTH)[0]
    assert (row["bid_10"], row["ask_10"], np.isnan(row["bid_25"])) == (3.0, 12.0, True)


@pytest.mark.parametrize(
    ("bids", "asks", "said"),
    [
        ([], side(1, (1, 1.0)), "bids are empty"),
        (side(-1, (1, 1.0)), [], "asks are empty"),
        (side(1, (1, 1.0)), side(1, (1, 1.0)), "the best bid is not below the best ask"),
        (side(-1, (2, 1.0), (1, 1.0)), side(1, (1, 1.0)), "bids are not in order"),
        (side(-1, (1, 1.0)), side(1, (1, 1.0), (1, 1.0)), "asks are not in order"),
        ([(0.0, 1.0)], side(1, (1, 1.0)), "bids hold a price or a quantity that is not above zero"),
        (side(-1, (1, -1.0)), side(1, (1, 1.0)), "bids hold a price or a quantity that is not above zero"),
    ],
)
def test_book_that_can_not_be_one_is_refused(
    bids: list[tuple[float, float]], asks: list[tuple[float, float]], said: str
) -> None:
    with pytest.raises(UnreadableError, match=f"^{said}$"):
        profile(time_ms=0, bids=bids, asks=asks)
