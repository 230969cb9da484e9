"""Arming can be undone until its minute ends, which may be a moment away."""

from __future__ import annotations

import time
from typing import Final

# So much of a minute must be left for a test that arms and undoes [s].
_ROOM_S: Final = 12


def await_room() -> None:
    """Where little is left of this minute, wait for the next: its end is the database's word, and cannot be moved."""
    left = 60 - time.time() % 60
    if left < _ROOM_S:
        time.sleep(left + 0.1)
