"""Ends the children of a parent that died, grandchildren included.

Runs as a program of its own, without the project on its path: it reads who the children are from standard input, and
the end of that input is the parent's death, however it came. Linux's parent-death signal reaches direct children only,
and macOS has none. `end_groups` is also how a living parent stops them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Seconds from the start by which each stage must have left: what uses the servers, the broker, the database.
# A stage that is quick leaves its time to the next; the whole is to take less than five.
DEADLINES = (2.2, 2.8, 4.6)


@dataclass(frozen=True, slots=True)
class Group:
    """A process group by its leader, the signal that asks it to leave, and when in the order to ask."""

    leader: int
    signal: int
    stage: int


def is_gone(leader: int) -> bool:
    """Tell whether no process of the group is left."""
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):  # macOS answers the latter for a group of zombies
        return True
    return False


def kill_group(leader: int) -> None:
    """End what is left of a group, without asking."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def end_groups(groups: Iterable[Group], *, is_over: Callable[[int], bool] = is_gone) -> None:
    """Ask stage by stage, wait until the stage's deadline, then kill what is left."""
    everyone, began = list(groups), time.monotonic()
    for stage, seconds in enumerate(DEADLINES):
        asked = [group for group in everyone if group.stage == stage]
        for group in asked:
            _ask(group)
        left = asked
        while left and time.monotonic() < began + seconds:
            left = [group for group in left if not is_over(group.leader)]
            time.sleep(0.02 if left else 0)
        for group in asked:
            kill_group(group.leader)


def _ask(group: Group) -> None:
    """Signal the leader alone: a worker's pool must not be torn from under it."""
    try:
        os.kill(group.leader, group.signal)
    except ProcessLookupError:
        return


def main() -> None:
    """Follow the parent's lines (`+ leader signal stage`, `- leader`) until they end."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    known: dict[int, Group] = {}
    for line in sys.stdin:
        sign, leader, *rest = line.split()
        if sign == "+":
            known[int(leader)] = Group(int(leader), int(rest[0]), int(rest[1]))
        else:
            known.pop(int(leader), None)
    end_groups(known.values())


if __name__ == "__main__":
    main()
