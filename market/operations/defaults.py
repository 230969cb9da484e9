"""The instruments that are followed from the first start on, with their terms as of 24 November 2026.

They stand here because a machine may start without a network; `instruments sync` corrects them. Sources: the venues'
public lists of contracts (Binance exchangeInfo, Bybit instruments-info, OKX public/instruments, Hyperliquid meta).
"""

from __future__ import annotations

from typing import Final

from market.sources.base import InstrumentFacts


def _linear(symbol: str, quote: str, contract_size: float, tick_size: str, lot_size: str) -> InstrumentFacts:
    base = next(coin for coin in ("BTC", "ETH", "SOL") if symbol.startswith(coin))
    return InstrumentFacts(symbol, base, quote, "linear", contract_size, tick_size, lot_size, underlying=base)


DEFAULT_SET: Final = (
    ("binance", _linear("BTCUSDT", "USDT", 1.0, "0.10", "0.001")),
    ("binance", _linear("ETHUSDT", "USDT", 1.0, "0.01", "0.001")),
    ("binance", _linear("SOLUSDT", "USDT", 1.0, "0.0100", "0.01")),
    ("bybit", _linear("BTCUSDT", "USDT", 1.0, "0.10", "0.001")),
    ("bybit", _linear("ETHUSDT", "USDT", 1.0, "0.01", "0.01")),
    ("bybit", _linear("SOLUSDT", "USDT", 1.0, "0.010", "0.1")),
    ("okx", _linear("BTC-USDT-SWAP", "USDT", 0.01, "0.1", "0.01")),
    ("okx", _linear("ETH-USDT-SWAP", "USDT", 0.1, "0.01", "0.01")),
    ("okx", _linear("SOL-USDT-SWAP", "USDT", 1.0, "0.01", "0.01")),
    ("hyperliquid", _linear("BTC", "USDC", 1.0, "0.1", "0.00001")),
    ("hyperliquid", _linear("ETH", "USDC", 1.0, "0.01", "0.0001")),
    ("hyperliquid", _linear("SOL", "USDC", 1.0, "0.0001", "0.01")),
)
