"""Child processes of which none outlives its parent, whatever ends it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb import watchdog
from bhweb.progress import StartError
from bhweb.watchdog import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
LOG_BYTES = 5 << 20
TAIL_BYTES = 64 << 10
NO_SPACE = re.compile(r"No space left on device|could not extend file|Check free disk space")
# The line of a log that names the error: a Python exception, a server's complaint, not the frames around it.
TELLING = re.compile(
    r"^[A-Za-z_][\w.]*(Error|Exception|Exit|Configured)\b|\b(FATAL|PANIC|ERROR|CRITICAL|error):|Fatal error|# "
)

APPLICATIONS, BROKER, DATABASE = range(3)  # the stages of watchdog.DEADLINES


def libc() -> ctypes.CDLL:
    """Return the C library, for the few calls that Python does not offer."""
    return ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Child:
    """One process group that we started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None
    group: Group
    log_began_at: int = 0
    started_at: float = field(default_factory=time.monotonic)

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self.process.poll()

    def is_over(self) -> bool:
        """Tell whether the whole group has ended; reaps the leader."""
        return self.process.poll() is not None and watchdog.is_gone(self.process.pid)


@dataclass(slots=True)
class Start:
    """What to start and how it is to be stopped."""

    name: str
    argv: Sequence[str | Path]
    log: Path | None = None  # None: what it says goes to our standard error
    env: Mapping[str, str] | None = None
    cwd: Path = ROOT
    stage: int = APPLICATIONS
    stop_signal: signal.Signals = signal.SIGTERM
    become: Callable[[], None] | None = None  # changes credentials, in the child
    output: Path | None = None  # standard output apart from the log


class Household:
    """The children of this process. Start them from the main thread: the parent-death signal is the thread's."""

    def __init__(self) -> None:
        self.keep: tuple[int, ...] = ()  # descriptors that the watchdog holds until its work is done, such as a lock
        self._children: dict[int, Child] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self, what: Start) -> Child:
        """Start a process in a session of its own."""
        self._ensure_watchdog()
        with contextlib.ExitStack() as files:
            log = files.enter_context(what.log.open("ab")) if what.log else sys.stderr.fileno()
            output = files.enter_context(what.output.open("wb")) if what.output else log
            began = what.log.stat().st_size if what.log else 0
            process = subprocess.Popen(
                [str(part) for part in what.argv],
                env=what.env,
                cwd=what.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                preexec_fn=_leave_with_parent(what),  # noqa: PLW1509 # one thread; exec'ing a helper would cost 20 ms each
            )
        child = Child(what.name, process, what.log, Group(process.pid, what.stop_signal, what.stage), began)
        self._children[process.pid] = child
        self._tell(f"+ {process.pid} {int(what.stop_signal)} {what.stage}\n")
        return child

    def release(self, child: Child) -> None:
        """Clear what a child that ended has left behind, such as a killed worker's pool."""
        watchdog.kill_group(child.process.pid)
        self._children.pop(child.process.pid, None)
        self._tell(f"- {child.process.pid}\n")

    def stop(self) -> None:
        """Stop everything in order, within five seconds."""
        watchdog.end_groups(
            [child.group for child in self._children.values()],
            is_over=lambda leader: self._children[leader].is_over(),
        )
        for child in list(self._children.values()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=1)
            self.release(child)
        self._dismiss_watchdog()

    def _ensure_watchdog(self) -> None:
        if self._watchdog and self._watchdog.poll() is None:
            return
        self._watchdog = subprocess.Popen(
            [sys.executable, "-P", "-S", "-E", watchdog.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=self.keep,
            start_new_session=True,
        )
        for pid, child in self._children.items():
            self._tell(f"+ {pid} {int(child.group.signal)} {child.group.stage}\n")

    def _tell(self, line: str) -> None:
        pipe = self._watchdog.stdin if self._watchdog else None
        if pipe:
            with contextlib.suppress(OSError):  # a dead watchdog is replaced at the next start
                pipe.write(line.encode())
                pipe.flush()

    def _dismiss_watchdog(self) -> None:
        if self._watchdog:
            self._watchdog.communicate()
            self._watchdog = None


def death_signal() -> Callable[[int], object] | None:
    """Return what makes the kernel signal the calling process at its parent's death, where the kernel can."""
    if sys.platform != "linux":
        return None
    prctl = libc().prctl
    return lambda number: prctl(PR_SET_PDEATHSIG, number)


def _leave_with_parent(what: Start) -> Callable[[], None]:
    parent = os.getpid()
    ask_kernel = death_signal()

    def prepare() -> None:
        os.setsid()
        if what.become:
            what.become()
        if ask_kernel:  # after any change of credentials, which clears it
            ask_kernel(int(what.stop_signal))
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return prepare


def bound_log(log: Path) -> None:
    """Keep a log below its size: what is too long moves aside. Writers append, so they follow the cut."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_BYTES:
            log.with_suffix(".log.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)


def ending(child: Child) -> str:
    """Say how a child ended, and why. Whom a signal ended had no time to say: the last words are of other things."""
    code, words = child.exit_code or 0, last_words(child)
    if code < 0:
        return f"(signal {-code})" + (f": {words}" if NO_SPACE.search(words) else "")
    return f"(exit code {code}): {words}"


def last_words(child: Child) -> str:
    """Return the one line of what a child said that tells why it ended."""
    if not child.log:
        return "it said why above"
    try:
        with child.log.open("rb") as file:
            file.seek(max(child.log_began_at, child.log.stat().st_size - TAIL_BYTES))
            lines = [line.rstrip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return f"nothing could be read from {child.log}"
    no_space = [line for line in lines if NO_SPACE.search(line)]  # what follows is its consequence
    telling = no_space or [line for line in lines if TELLING.search(line)] or lines
    return telling[-1].strip()[:300] if telling else "it said nothing"


def wait_for_exit(child: Child, *, pause: Callable[[float], None] = time.sleep, seconds: float = 600) -> int:
    """Wait for a child that ends by itself."""
    deadline = time.monotonic() + seconds
    while child.exit_code is None:
        if time.monotonic() > deadline:
            raise StartError(f"{child.name} did not end within {seconds:.0f} s; see {child.log}.")
        pause(0.02)
    return child.exit_code
