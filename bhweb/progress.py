"""What the person at the terminal reads while a command works."""

from __future__ import annotations

import os
import sys
import time

STARTED_VARIABLE = "BH_STARTED_AT"


class StartError(Exception):
    """What went wrong and what to do about it, in one line for the person at the terminal."""


def _start() -> float:
    """Read when the command began, which is before it replaced itself by the one inside .venv."""
    try:
        return float(os.environ.pop(STARTED_VARIABLE))
    except (KeyError, ValueError):
        return time.time()


IS_CONTINUED = STARTED_VARIABLE in os.environ  # this process took over from the one that was typed
STARTED_AT = _start()


def elapsed() -> float:
    """Return the seconds since the command was typed."""
    return time.time() - STARTED_AT


def say(text: str) -> None:
    """Print one line of progress beside the seconds it took to get there."""
    try:
        print(f"[{elapsed():6.1f} s] {text}", file=sys.stderr, flush=True)  # noqa: T201 # speaking is its purpose
    except OSError:  # the terminal has gone; the work goes on
        return


def fail(text: str) -> int:
    """Print the one line that says what went wrong and return the exit code."""
    try:
        print(f"error: {text}", file=sys.stderr, flush=True)  # noqa: T201 # speaking is its purpose
    except OSError:
        return 1
    return 1
