"""The data directory: who uses it, where things lie in it, whether there is room."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb.progress import StartError, say

if TYPE_CHECKING:
    from collections.abc import Callable

# Room needed for a first start, for a later one; and below which nothing works: PostgreSQL's log grows by 16 MB.
NEW_MB, KNOWN_MB, FULL_MB = 250, 60, 20
LEAVING_SECONDS = 10


@dataclass(frozen=True)
class DataDir:
    """Everything that this installation keeps."""

    path: Path

    @property
    def logs(self) -> Path:
        """Return where the children's logs go."""
        return self.path / "logs"

    @property
    def addresses(self) -> Path:
        """Return the file that tells other commands where the running servers are."""
        return self.path / "run" / "services.json"

    def open(self) -> None:
        """Make the directories; say in one line why that cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for inside in (self.logs, self.path / "run"):
                inside.mkdir(mode=0o700, exist_ok=True)
            probe = self.path / "run" / ".probe"
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            if self.is_full():
                raise StartError(self.full_line()) from error
            raise StartError(
                f"the data directory {self.path} cannot be written ({error.strerror}): choose another with --data-dir."
            ) from error

    def free_mb(self) -> float:
        """Return the room on the disk that holds the directory [MB], or of the nearest parent that exists."""
        place = next(place for place in (self.path, *self.path.parents) if os.path.exists(place))  # noqa: PTH110 # Path.exists raises where we may not look
        return shutil.disk_usage(place).free / 1e6

    def is_full(self) -> bool:
        """Tell whether nothing more fits."""
        return self.free_mb() < FULL_MB

    def full_line(self) -> str:
        """Return what to do about it."""
        return (
            f"no space is left on the disk that holds the data directory {self.path} ({self.free_mb():.0f} MB free):"
            " free some room, or choose another place with --data-dir."
        )

    def require_room(self) -> None:
        """Refuse to start what could not be finished."""
        needed = KNOWN_MB if (self.path / "pg" / "PG_VERSION").exists() else NEW_MB
        if self.free_mb() < needed:
            raise StartError(
                f"the disk that holds the data directory {self.path} has {self.free_mb():.0f} MB free and {needed} MB"
                " are needed: free some room, or choose another place with --data-dir."
            )

    def secret_key(self) -> str:
        """Return the key that signs sessions, made once."""
        path = self.path / "secret_key"
        if not path.exists():
            fresh = path.with_suffix(".new")
            write_private(fresh, secrets.token_urlsafe(50))
            fresh.rename(path)
        return path.read_text().strip()


def choose(given: str | None = None) -> DataDir:
    """Return the directory given, else BH_DATA_DIR, else var beside manage.py."""
    beside = Path(__file__).resolve().parent.parent / "var"
    return DataDir(Path(given or os.environ.get("BH_DATA_DIR") or beside).resolve())


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


class InUseError(StartError):
    """Another process works on the data directory."""


class Lock:
    """The right to run servers over a data directory, held as long as this process or its watchdog lives."""

    def __init__(self, data: DataDir, *, holder: str) -> None:
        """Remember what to tell others: `holder` says what we are and where."""
        self._path = data.path / "lock"
        self._holder = {"pid": os.getpid(), "holder": holder}
        self.descriptor = -1
        self.is_held = False

    def acquire(self, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Take the lock; wait for a holder that is leaving, refuse when one lives."""
        self.descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LEAVING_SECONDS
        said = False
        while not self._try():
            pid, holder = self._read()
            if pid and _lives(pid):
                raise InUseError(f"{holder} (process {pid}).")
            if time.monotonic() > deadline:
                raise InUseError(f"an earlier run over {self._path.parent} has not stopped: try again in a moment.")
            if not said:
                say("an earlier run is still stopping: waiting for it")
            said = True
            pause(0.1)
        self.is_held = True
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(self._holder).encode(), 0)

    def release(self) -> None:
        """Give it back."""
        if self.is_held:
            with contextlib.suppress(OSError):
                os.truncate(self.descriptor, 0)
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor, self.is_held = -1, False

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _read(self) -> tuple[int | None, str]:
        try:
            told = json.loads(os.pread(self.descriptor, 4096, 0))
            return int(told["pid"]), str(told["holder"])
        except (ValueError, KeyError):
            return None, ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):  # a zombie has died, whether or not its parent has noticed
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
