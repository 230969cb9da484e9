"""Real programs for tests: started, waited for within bounds, and ended by their process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import redis

from bhweb.programs import find_valkey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
PATIENCE_S: Final = 30.0
Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], *, what: str, within: float = PATIENCE_S) -> Found:
    """Look again and again until something is there; fail after a while."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {within} s in vain for {what}")


class Programs:
    """The child processes of one test; ``end`` leaves none of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a Python program in a process group of its own, writing to a log file."""
        log = self._directory / f"{len(self._running)}.log"
        with log.open("wb") as output:
            program = subprocess.Popen(
                [sys.executable, *argv],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(program)
        return program

    def logs(self) -> str:
        """Return what all programs have said so far."""
        return "\n".join(log.read_text() for log in sorted(self._directory.glob("*.log")))

    def end(self) -> None:
        """Kill every process group that was started here."""
        for program in self._running:
            try:
                os.killpg(program.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            finally:
                program.wait(10)


class Broker:
    """A throw-away Valkey that a test may flush, stop and start."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "v.sock"
        self.celery_url = f"redis+socket://{self.socket}?virtual_host=0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        argv: Sequence[str] = [str(find_valkey()), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self._process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd=self.socket.parent)
        wait_for(self._answers, what="Valkey")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as one that makes it hang."""
        assert self._process is not None
        self._process.send_signal(number)

    def client(self) -> redis.Redis:
        """Return a client for it."""
        return redis.Redis(unix_socket_path=str(self.socket))

    @contextmanager
    def ear(self) -> Iterator[redis.client.PubSub]:
        """Listen to the news."""
        with self.client().pubsub() as ear:  # type: ignore[no-untyped-call]  # redis-py leaves it unannotated
            ear.subscribe("bh:events")
            wait_for(lambda: ear.get_message(timeout=1), what="the subscription")
            yield ear

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False


def children(pid: int) -> list[int]:
    """List the processes whose parent is ``pid`` (from /proc)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def database_url(settings_dict: Mapping[str, Any]) -> str:
    """Write the address of the test database as the programs expect it."""
    s = settings_dict
    return f"postgresql://{s['USER']}:{s['PASSWORD']}@/{s['NAME']}?host={s['HOST']}&port={s['PORT']}"
