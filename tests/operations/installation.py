"""One real installation in a temporary data directory, and every process that belongs to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bhweb.embedded import clear_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
MARK = "BH_TEST_MARK"
FOREIGN = ("DATABASE_URL", "REDIS_URL", "BH_DATA_DIR", "BH_SECRET_KEY", "BH_STARTED_AT", "BH_TEST_DATABASE_IS_OURS")
START_SECONDS = 120
GONE_SECONDS = 5
COLLECTED: list[Path] = []  # static files of an earlier start: the same for all, and seconds to make


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bare_environment(**extra: str) -> dict[str, str]:
    """Return the environment of somebody who has set nothing up."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and "PYTEST" not in name}
    return {**kept, "BH_BOOTSTRAP": "0", "BH_VENUES": "0", **extra}


class Installation:
    """`manage.py up` over a data directory, and what came of it."""

    def __init__(
        self, data_dir: Path, *, root: Path = ROOT, python: str = sys.executable, user: int | None = None
    ) -> None:
        self.data_dir, self.root, self.python, self.user = data_dir, root, python, user
        self.port = free_port()
        self.mark = secrets.token_hex(8)
        self.output = data_dir.with_name(f"{data_dir.name}.output")
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; a command that ends with an error must end with everything it started."""
        return subprocess.run(  # noqa: PLW1510 # check stands below, ruff does not see it beside the dict
            [self.python, str(self.root / "manage.py"), *arguments],
            **self._how(extra),
            capture_output=True,
            timeout=200,
        )

    def up(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run an `up` that is expected to end by itself."""
        chosen = ["--port", str(self.port), "--data-dir", str(self.data_dir), *arguments]
        return self.command("up", *chosen, **extra)

    def begin(self, *arguments: str, **extra: str) -> None:
        """Start `up` and return at once."""
        chosen = ["up", "--port", str(self.port), "--data-dir", str(self.data_dir), *arguments]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [self.python, str(self.root / "manage.py"), *chosen], **self._how(extra), stdout=output, stderr=output
            )

    def _how(self, extra: Mapping[str, str]) -> dict[str, Any]:
        identity = {"user": self.user, "group": self.user, "extra_groups": []} if self.user is not None else {}
        environment = bare_environment(**{MARK: self.mark, "BH_DATA_DIR": str(self.data_dir), **extra})
        return {"cwd": self.root, "text": True, "env": environment, "stdin": subprocess.DEVNULL, **identity}

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> None:
        """Wait until `up` has said something."""
        assert self.process
        deadline = time.monotonic() + seconds
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def begin_and_wait(self, *arguments: str, **extra: str) -> None:
        self._reuse_static_files()
        self.begin(*arguments, **extra)
        self.wait_for("Log in once")
        COLLECTED.append(self.data_dir / "static")

    def _reuse_static_files(self) -> None:
        for earlier in COLLECTED:
            if earlier.exists() and not (self.data_dir / "static").exists():
                shutil.copytree(earlier, self.data_dir / "static")

    def said(self) -> str:
        return self.output.read_text()

    def login_link(self) -> str:
        found = re.search(r"(/enter/\S+)", self.said())
        assert found
        return found[1]

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    def processes(self) -> dict[int, str]:
        """Return every living process that inherited the mark or works in the data directory, by its command line."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_marked = f"{MARK}={self.mark}".encode() in (place / "environ").read_bytes().split(b"\0")
                # Servers that change their title write it over their environment.
                if is_marked or self.data_dir in (place / "cwd").readlink().parents:
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def assert_all_gone(self) -> None:
        """Allow what was killed five seconds, and not one more."""
        deadline = time.monotonic() + GONE_SECONDS
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == {}

    def clear(self) -> None:
        """Leave nothing behind whatever the test did."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        clear_sockets(self.data_dir)


@contextlib.contextmanager
def installed(
    data_dir: Path, *, root: Path = ROOT, python: str = sys.executable, user: int | None = None
) -> Iterator[Installation]:
    installation = Installation(data_dir, root=root, python=python, user=user)
    try:
        yield installation
    finally:
        installation.clear()


def answer_of(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON line of a check."""
    (line,) = run.stdout.splitlines()
    return dict(json.loads(line))


def error_line(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that says what went wrong; a traceback is none."""
    assert "Traceback" not in run.stderr + run.stdout
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert run.returncode == 1
    return line
