from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from market.sources.files import belongs, read_sizes

from .files import CANDLES, FUNDING, candle, text, write
from .rows import T0

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("BTCUSDT-5m-2026-01.zip", True),
        ("BTCUSDT.csv", True),
        ("BTCUSDT_candles.csv", None),
        ("BTC-liquidations-1h.csv", True),
        ("BTCUSDT_260327-5m.csv", False),
        ("BTCUSDTX-5m.csv", False),
        ("BTCUSDC-5m.csv", False),
        ("ETH-liquidations-1h.csv", False),
        ("1000PEPEUSDT-5m.csv", False),
        ("candles.csv", None),
        ("2026-01-candles.csv", None),
    ],
)
def test_belongs_reads_the_claim_of_a_name(name: str, answer: bool | None) -> None:
    assert belongs(name, symbol="BTCUSDT", base="BTC") is answer


def test_read_sizes_counts_the_decimals_that_matter(tmp_path: Path) -> None:
    content = text(CANDLES, candle(0, "10.10,12.50,9.000,11.25,5.120"), candle(1, "10,12,9,11,5"))
    assert read_sizes(write(tmp_path / "BTCUSDT-5m.csv", content)) == (2, 2)


def test_read_sizes_knows_nothing_without_candles(tmp_path: Path) -> None:
    assert read_sizes(write(tmp_path / "BTCUSDT-f.csv", text(FUNDING, f"{T0},8,0.0001"))) is None
