"""A pool's children must not outlive the process that started them, however it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Final

PR_SET_PDEATHSIG: Final = 1
_starter = os.getpid()


def remember_starter() -> None:
    """Note, before the children are forked, whose death they are to share."""
    global _starter  # noqa: PLW0603  # one fact about this process, inherited by its children
    _starter = os.getpid()


def die_with_starter() -> None:
    """Make the kernel kill this child with its parent; elsewhere than on Linux a thread looks each second."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, daemon=True).start()
    if _is_orphan():  # the parent died before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def _is_orphan() -> bool:
    return os.getpid() != _starter and os.getppid() != _starter


def _watch() -> None:
    while not _is_orphan():
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
