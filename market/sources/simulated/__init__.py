"""A market that is made up, with every position known: for a first look without a network, and to score estimates."""

from .checkpoint import POSITION, positions
from .source import SOURCE, SimulatedMarket

__all__ = ["POSITION", "SOURCE", "SimulatedMarket", "positions"]
