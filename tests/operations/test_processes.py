"""Children, their logs, and the watchdog that outlives their parent."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bhweb import processes, watchdog
from bhweb.processes import Household, Start, bound_log, ending, last_words, wait_for_exit
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(60)
WITH_POOL = "import os, time; os.fork(); print('here', flush=True); time.sleep(60)"


@pytest.fixture
def household() -> Iterator[Household]:
    household = Household()
    yield household
    household.stop()


def python(program: str, log: Path, **options: int) -> Start:
    return Start("child", [sys.executable, "-c", program], log=log, **options)  # type: ignore[arg-type] # few are used


def wait_for(text: str, log: Path, times: int = 1) -> None:
    deadline = time.monotonic() + 20
    while log.read_text().count(text) < times:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def wait_until_gone(leader: int) -> None:
    """Give whoever inherits the dead a moment to bury them."""
    deadline = time.monotonic() + 5
    while not watchdog.is_gone(leader):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_pool_of_a_killed_leader_is_cleared(household: Household, tmp_path: Path) -> None:
    child = household.start(python(WITH_POOL, tmp_path / "log"))
    wait_for("here", tmp_path / "log", times=2)
    child.process.kill()
    child.process.wait()
    assert not watchdog.is_gone(child.process.pid)
    household.release(child)
    wait_until_gone(child.process.pid)


def test_children_stop_stage_by_stage(household: Household, tmp_path: Path) -> None:
    polite = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); print('here', flush=True)"
    farewell = "import atexit, time; atexit.register(lambda: print(time.monotonic(), flush=True))"
    program = f"{farewell}\n{polite}\ntime.sleep(60)"
    logs = [tmp_path / f"{stage}.log" for stage in range(3)]
    for stage in (2, 0, 1):
        household.start(python(program, logs[stage], stage=stage))
    for log in logs:
        wait_for("here", log)
    household.stop()
    ended = [float(log.read_text().split()[1]) for log in logs]
    assert ended == sorted(ended)


def test_dead_watchdog_is_replaced_and_told(household: Household, tmp_path: Path) -> None:
    household.start(python(WITH_POOL, tmp_path / "log"))
    first = household._watchdog
    assert first
    first.kill()
    first.wait()
    household.start(python(WITH_POOL, tmp_path / "second"))
    assert household._watchdog
    assert household._watchdog.pid != first.pid


def test_orphans_are_ended_by_the_watchdog(tmp_path: Path) -> None:
    """Speak to the watchdog as a parent would, then die in its eyes."""
    household = Household()
    child = household.start(python(f"import signal; signal.signal(15, signal.SIG_IGN)\n{WITH_POOL}", tmp_path / "log"))
    wait_for("here", tmp_path / "log", times=2)
    household._dismiss_watchdog()  # closes its input and waits for it
    child.process.wait(5)
    assert child.exit_code == -signal.SIGKILL
    wait_until_gone(child.process.pid)


def test_log_is_bounded_while_it_is_written(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LOG_BYTES", 1000)
    log = tmp_path / "child.log"
    program = "import sys\nprint('a' * 2000, flush=True)\nsys.stdin = open(0)\n"
    child = household.start(python(program, log))
    assert wait_for_exit(child) == 0
    bound_log(log)
    assert log.stat().st_size == 0
    assert (tmp_path / "child.log.1").read_text() == "a" * 2000 + "\n"
    child = household.start(python("print('later')", log))
    assert wait_for_exit(child) == 0
    bound_log(log)
    assert log.read_text() == "later\n"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Traceback\n  File x\nValueError: no such thing\n", "ValueError: no such thing"),
        (
            "FATAL:  could not write: No space left on device\nPANIC: gave up\n",
            "FATAL:  could not write: No space left on device",
        ),
        ("2026 LOG: ready\n2026 FATAL:  lock file exists\n2026 LOG: bye\n", "2026 FATAL:  lock file exists"),
        ("only this\n\n", "only this"),
        ("", "it said nothing"),
    ],
)
def test_last_words_tell_why(household: Household, tmp_path: Path, said: str, line: str) -> None:
    log = tmp_path / "log"
    log.write_text("OldError: of an earlier run\n")
    child = household.start(python(f"import sys; sys.stderr.write({said!r})", log))
    wait_for_exit(child)
    assert last_words(child) == line


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("sys.exit(3)", "(exit code 3): ERROR: of a while ago"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "(signal 9)"),
    ],
)
def test_ending_blames_no_old_words_for_a_signal(household: Household, tmp_path: Path, end: str, told: str) -> None:
    program = f"import os, signal, sys; print('ERROR: of a while ago', flush=True); {end}"
    child = household.start(python(program, tmp_path / "log"))
    wait_for_exit(child)
    assert ending(child) == told


def test_child_that_never_ends_is_given_up(household: Household, tmp_path: Path) -> None:
    child = household.start(python("import time; time.sleep(60)", tmp_path / "log"))
    with pytest.raises(StartError, match="child did not end within 0 s"):
        wait_for_exit(child, seconds=0)
    assert os.getpgid(child.process.pid) == child.process.pid
