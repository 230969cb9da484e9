"""What changes the market's tables; every operation may run again without effect."""

from .instruments import ensure_instrument
from .staging import Stored
from .storing import store

__all__ = ["Stored", "ensure_instrument", "store"]
