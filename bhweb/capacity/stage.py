"""A throw-away installation for measurements: its own servers, the venue double, and any of the product's commands."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bhweb import clock, services
from bhweb.datadir import DataDir
from bhweb.embedded import clear_sockets
from bhweb.processes import ROOT, Household, Start, ending, wait_for_exit
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bhweb.clock import Clock
    from bhweb.processes import Child

ABSENT: Final = "This bench needs the venue double of the tests: run it from a checkout of the repository."
_START_S: Final = 30.0


class Stage:
    """The installation; its servers are durable, as an operator's are."""

    def __init__(self, data: DataDir, household: Household) -> None:
        self._data, self._household = data, household
        addresses, _ = services.start_embedded(data, household, given={})
        self._environment = {**os.environ, **addresses, "BH_BOOTSTRAP": "0", "BH_LOG_LEVEL": "WARNING"}
        self.database_url = addresses["DATABASE_URL"]
        self._children: list[Child] = []

    def run(self, *command: str) -> None:
        """Run a command of the product to its end; raise StartError where it fails."""
        self.run_together(command)

    def run_together(self, *commands: Sequence[str]) -> None:
        """Run commands of the product beside each other until all have ended; raise StartError where one fails."""
        children = [self._start(f"{command[0]}-{number}", *command) for number, command in enumerate(commands)]
        for child, command in zip(children, commands, strict=True):
            if wait_for_exit(child):
                raise StartError(f"`manage.py {' '.join(command)}` failed {ending(child)}")
            self._household.release(child)

    def read(self, *command: str) -> str:
        """Run a command of the product to its end and return what it printed; raise StartError where it fails."""
        told = self._data.path / "told.txt"
        child = self._start(command[0], *command, output=told)
        if wait_for_exit(child):
            raise StartError(f"`manage.py {' '.join(command)}` failed {ending(child)}")
        self._household.release(child)
        return told.read_text()

    def begin(self, name: str, *command: str) -> None:
        """Start a command that is to run until the end."""
        self._children.append(self._start(name, *command))

    def require_alive(self) -> None:
        """Raise StartError where one of those has ended."""
        for child in self._children:
            if child.exit_code is not None:
                raise StartError(f"{child.name} ended {ending(child)}")

    def open_venues(self, *, contracts: int, start: str) -> Clock:
        """Start the double and let all further commands go by it; return its clock."""
        told = self._data.path / "double.txt"
        command = ("venue_double", "--synthetic", str(contracts), "--from", start)
        double = self._start("venue_double", *command, output=told)
        self._children.append(double)
        deadline = time.monotonic() + _START_S
        while "BH_CLOCK=" not in told.read_text():
            self.require_alive()
            if time.monotonic() > deadline:
                raise StartError(f"the venue double did not begin within {_START_S:.0f} s")
            time.sleep(0.05)
        self._environment |= dict(line.split("=", 1) for line in told.read_text().splitlines()[1:])
        following = clock.read(self._environment["BH_CLOCK"])
        assert following is not None
        return following

    def _start(self, name: str, *command: str, output: Path | None = None) -> Child:
        argv = [sys.executable, str(ROOT / "manage.py"), *command]
        log = self._data.logs / f"{name}.log"
        return self._household.start(Start(name, argv, log=log, env=self._environment, output=output))


@contextlib.contextmanager
def opened() -> Iterator[Stage]:
    """Make a stage with an empty, migrated database; nothing of it remains. Raises StartError."""
    if find_spec("tests") is None or find_spec("tests.double") is None:
        raise StartError(ABSENT)
    with tempfile.TemporaryDirectory(prefix="bh-bench-", ignore_cleanup_errors=True) as folder:
        data, household = DataDir(Path(folder)), Household()
        data.open()
        try:
            stage = Stage(data, household)
            stage.run("migrate", "--verbosity=0", "--no-input")
            yield stage
        finally:
            household.stop()
            clear_sockets(data.path)
