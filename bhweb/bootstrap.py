"""Build .venv from the hash-pinned files and run inside it. Standard library only: nothing else exists yet."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb import browser_packages, progress
from bhweb.progress import StartError, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:")
BUILDING = ".building"
SPACE_MB = 600


def place() -> Path:
    """Return where the environment lives: BH_VENV, else .venv beside manage.py."""
    return Path(os.environ.get("BH_VENV") or ROOT / ".venv").absolute()


def enter(argv: list[str], *, requirements: str) -> None:
    """Make the environment fit the pinned files, then go on inside it. Returns only when already there."""
    if os.environ.get("BH_BOOTSTRAP", "1") == "0" or progress.IS_CONTINUED:
        return
    home = place()
    if not _fits(home, requirements):
        with _one_line_for_disk_trouble(home), _alone(home) as lock:
            if not _fits(home, requirements):
                _build(home, requirements, lock)
    if not browser_packages.fit(ROOT):
        with _alone(home) if os.access(home, os.W_OK) else contextlib.nullcontext():
            browser_packages.ensure(ROOT, python=home / "bin" / "python")
    if not Path(sys.prefix).samefile(home):
        _become(home / "bin" / "python", argv)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, the stamp of what was installed from it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stamp(home: Path, requirements: str) -> Path:
    return home / f".{requirements}.sha256"


def _fits(home: Path, requirements: str) -> bool:
    try:
        stamped = _stamp(home, requirements).read_text()
    except OSError:
        return False
    return stamped == digest(ROOT / requirements) and os.access(home / "bin" / "python", os.X_OK)


def _become(python: Path, argv: list[str]) -> None:
    os.environ[progress.STARTED_VARIABLE] = repr(progress.STARTED_AT)
    os.execv(python, [str(python), *argv])  # noqa: S606 # our own interpreter, no shell wanted


@contextlib.contextmanager
def _one_line_for_disk_trouble(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StartError(_disk_full(home)) from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
            raise StartError(
                f"{home} cannot be written ({error.strerror}): set BH_VENV to a directory that can."
            ) from error
        raise


def _disk_full(home: Path) -> str:
    return f"the disk that holds {home} is full: free about {SPACE_MB} MB, or set BH_VENV to a directory with room."


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[int]:
    """Hold the environment's lock; a second first run waits for the first, and for its installers if it was killed."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another command is building {home}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _build(home: Path, requirements: str, lock: int) -> None:
    """Install the pinned packages, from nothing where an earlier attempt was cut short."""
    building = home / BUILDING
    if building.exists() or not os.access(home / "bin" / "python", os.X_OK):
        _create(home, lock)
    building.touch()
    _install(home, requirements, lock)
    _stamp(home, requirements).write_text(digest(ROOT / requirements))
    building.unlink()


def _create(home: Path, lock: int) -> None:
    _require_venv_parts()
    say(f"creating {home} with Python {sys.version_info.major}.{sys.version_info.minor}")
    _empty(home)
    (home / BUILDING).touch()
    venv.create(home, with_pip=False, symlinks=True)
    lines: list[str] = []
    if _run([str(home / "bin" / "python"), "-Im", "ensurepip", "--default-pip"], lock, lines.append):
        raise StartError(_why_disk("\n".join(lines), home) or f"pip could not be put into {home}: {lines[-1]}")


def _require_venv_parts() -> None:
    if importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise StartError(
        f"this Python lacks ensurepip: on Debian and Ubuntu run `apt install python{version}-venv`"
        " (or python3-venv), then try again."
    )


def _empty(home: Path) -> None:
    """Remove what an earlier attempt left, except the lock we hold."""
    for leftover in home.iterdir():
        if leftover.name == ".lock":
            continue
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _install(home: Path, requirements: str, lock: int) -> None:
    total = sum(1 for line in (ROOT / requirements).read_text().splitlines() if line[:1] not in {"", " ", "#"})
    say(f"installing about {total} Python packages from {requirements}")
    command = [str(home / "bin" / "python"), "-m", "pip", "install", *PIP_OPTIONS, "-r", str(ROOT / requirements)]
    progress_of_pip = PipProgress(total)
    if _run([*command, "--progress-bar", "off"], lock, progress_of_pip.hear):
        raise StartError(_why_pip_failed(home, requirements, progress_of_pip.lines))
    say("Python packages are installed")


def _run(command: list[str], lock: int, hear: Callable[[str], None]) -> int:
    """Run an installer, pass on each line it says, and return its exit code. It holds the lock too."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, pass_fds=[lock]
    ) as installer:
        try:
            for line in installer.stdout or ():
                hear(line.strip())
        except BaseException:
            installer.kill()
            raise
    return installer.returncode


class PipProgress:
    """What pip said, and every few seconds how far it is."""

    def __init__(self, total: int) -> None:
        self.lines: list[str] = []
        self._total, self._found, self._spoke_at = total, 0, time.monotonic()

    def hear(self, line: str) -> None:
        """Take one line."""
        self.lines.append(line)
        self._found += line.startswith(("Collecting ", "Requirement already satisfied"))
        if line.startswith("Installing collected packages"):
            say("  all packages are here, unpacking them")
        elif time.monotonic() - self._spoke_at > 3:  # noqa: PLR2004 # seconds between two lines
            self._spoke_at = time.monotonic()
            say(f"  {self._found} of about {self._total} packages fetched")


def _why_pip_failed(home: Path, requirements: str, lines: list[str]) -> str:
    text = "\n".join(lines)
    if trouble := _why_disk(text, home):
        return trouble
    if "HASHES" in text:
        return f"a downloaded package does not have the hash that {requirements} pins: nothing of it was installed."
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (
        f"the Python packages could not be installed ({errors[0] if errors else lines[-1] if lines else 'pip failed'})."
        " Check the connection to the package index and try again; what is there is kept."
    )


def _why_disk(text: str, home: Path) -> str | None:
    if "No space left on device" in text:
        return _disk_full(home)
    if "Permission denied" in text or "Read-only file system" in text:
        return f"{home} cannot be written: set BH_VENV to a directory that can."
    return None
