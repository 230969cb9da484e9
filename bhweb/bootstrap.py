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
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:")
BUILDING = ".building"
SPACE_MB = 600


def place() -> Path:
    """Return where the environment lives: BH_VENV, else .venv beside manage.py."""
    return Path(os.environ.get("BH_VENV") or ROOT / ".venv").absolute()


def enter(argv: list[str], *, requirements: str) -> None:
    """Make the environment fit the pinned files, then go on inside it. Returns only when already there."""
    if os.environ.get("BH_BOOTSTRAP", "1") == "0":
        return
    home = place()
    if not _fits(home, requirements):
        with _one_line_for_disk_trouble(home), _alone(home):
            if not _fits(home, requirements):
                _build(home, requirements)
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
def _alone(home: Path) -> Iterator[None]:
    """Hold the environment's lock; a second first run waits for the first."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another command is building {home}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(home: Path, requirements: str) -> None:
    """Install the pinned packages, from nothing where an earlier attempt was cut short."""
    building = home / BUILDING
    if building.exists() or not os.access(home / "bin" / "python", os.X_OK):
        _create(home)
    building.touch()
    _install(home, requirements)
    _stamp(home, requirements).write_text(digest(ROOT / requirements))
    building.unlink()


def _create(home: Path) -> None:
    _require_venv_parts()
    say(f"creating {home} with Python {sys.version_info.major}.{sys.version_info.minor}")
    _empty(home)
    (home / BUILDING).touch()
    try:
        venv.create(home, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:  # ensurepip runs in a process of its own
        if b"No space left" in (error.output or b"") or shutil.disk_usage(home).free < 1 << 20:
            raise StartError(_disk_full(home)) from error
        raise StartError(f"{home} could not be created: `python3 -m venv` failed on this machine.") from error


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


def _install(home: Path, requirements: str) -> None:
    total = sum(1 for line in (ROOT / requirements).read_text().splitlines() if line[:1] not in {"", " ", "#"})
    say(f"installing about {total} Python packages from {requirements}")
    command = [str(home / "bin" / "python"), "-m", "pip", "install", *PIP_OPTIONS, "-r", str(ROOT / requirements)]
    lines: list[str] = []
    with subprocess.Popen(
        [*command, "--progress-bar", "off"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as pip:
        try:
            _follow(pip, lines, total)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise StartError(_why_pip_failed(home, requirements, lines))
    say("Python packages are installed")


def _follow(pip: subprocess.Popen[str], lines: list[str], total: int) -> None:
    """Keep pip's lines and say every few seconds how far it is."""
    found, spoke = 0, time.monotonic()
    for line in pip.stdout or ():
        lines.append(line.strip())
        found += line.startswith(("Collecting ", "Requirement already satisfied"))
        if line.startswith("Installing collected packages"):
            say("  all packages are here, unpacking them")
        elif time.monotonic() - spoke > 3:  # noqa: PLR2004 # seconds between two lines
            spoke = time.monotonic()
            say(f"  {found} of about {total} packages fetched")


def _why_pip_failed(home: Path, requirements: str, lines: list[str]) -> str:
    text = "\n".join(lines)
    if "No space left on device" in text:
        return _disk_full(home)
    if "Permission denied" in text or "Read-only file system" in text:
        return f"{home} cannot be written: set BH_VENV to a directory that can."
    if "HASHES" in text:
        return f"a downloaded package does not have the hash that {requirements} pins: nothing of it was installed."
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (
        f"the Python packages could not be installed ({errors[0] if errors else lines[-1] if lines else 'pip failed'})."
        " Check the connection to the package index and try again; what is there is kept."
    )
