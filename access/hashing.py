"""Passwords are hashed in one thread that yields to all others, so that pages keep their processor."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# Of the thread, as of a process: a tenth of the weight where there is no processor to spare.
NICE: Final = 10


class YieldingHasher(PBKDF2PasswordHasher):
    """Django's own hash, one at a time in each process; it lets go of the interpreter while it computes."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Hash in the thread that yields, and wait for it."""
        return _thread(os.getpid()).submit(super().encode, password, salt, iterations).result()


@cache
def _thread(_process: int) -> ThreadPoolExecutor:
    # A child that was forked has no threads of its parent.
    return ThreadPoolExecutor(1, "hashing", initializer=_step_back)


def _step_back() -> None:
    with contextlib.suppress(OSError):  # systems on which a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
