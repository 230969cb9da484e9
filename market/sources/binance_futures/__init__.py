"""What Binance's two futures APIs have in common: fapi (USD-M, linear) and dapi (COIN-M, inverse)."""

from .rest import FuturesClient
from .rows import filter_of, is_perpetual
from .venue import FuturesVenue

__all__ = ["FuturesClient", "FuturesVenue", "filter_of", "is_perpetual"]
