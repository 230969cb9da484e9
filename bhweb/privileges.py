"""PostgreSQL refuses to run as root: let root's server run as `nobody`."""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import shutil
import subprocess
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from bhweb.processes import libc
from bhweb.progress import say

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWUSER = 0x10000000
NOBODY = 65534
ELSEWHERE = Path("/var/lib/bh-terminal")


class Mode(Enum):
    """How the server gets rid of root's powers."""

    PLAIN = "we are no root"
    NAMESPACE = "root outside, nobody inside a user namespace: files stay root's"
    SETUID = "nobody, with files that are nobody's"


def choose_mode() -> Mode:
    """Prefer the namespace for root, and for a user without a name, whom initdb refuses; containers may refuse it."""
    if os.geteuid() != 0 and _has_name():
        return Mode.PLAIN
    try:
        subprocess.run(["/bin/sh", "-c", ":"], check=True, preexec_fn=become(Mode.NAMESPACE))
    except (OSError, subprocess.SubprocessError):
        return Mode.SETUID if os.geteuid() == 0 else Mode.PLAIN
    return Mode.NAMESPACE


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def become(mode: Mode) -> Callable[[], None] | None:
    """Return what the child does before it becomes the server."""
    uid, gid = nobody()
    if mode is Mode.NAMESPACE:
        return lambda: _enter_namespace(uid, gid)
    if mode is Mode.SETUID:
        return lambda: _drop_to(uid, gid)
    return None


def nobody() -> tuple[int, int]:
    """Return the user and group of `nobody`."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return NOBODY, NOBODY
    return entry.pw_uid, entry.pw_gid


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc().unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1\n")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1\n")


def _drop_to(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def hand_over(directory: Path, mode: Mode) -> None:
    """Give a directory to whom the server will be."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    if mode is Mode.SETUID:
        os.chown(directory, *nobody())


def reachable_home(data_dir: Path, mode: Mode) -> Path:
    """Return where the server can keep its files: the data directory, unless `nobody` cannot come there."""
    if mode is not Mode.SETUID:
        return data_dir
    if all(parent.stat().st_mode & 0o001 for parent in data_dir.parents):
        data_dir.chmod(0o711)
        return data_dir
    home = ELSEWHERE / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    say(f"PostgreSQL keeps its files in {home}: it may not run as root, and others cannot reach {data_dir}")
    return home


def reachable_binaries(binaries: Path, home: Path, mode: Mode) -> Path:
    """Return the programs' directory, copied with their libraries where `nobody` cannot come to the original."""
    if mode is not Mode.SETUID or all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        return binaries
    package = binaries.parents[1]
    copy = home / "programs"
    target, complete = copy / package.name / binaries.parent.name, copy / ".complete"
    mark = f"{binaries} {(binaries / 'postgres').stat().st_mtime_ns}"
    if not complete.exists() or complete.read_text() != mark:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(binaries.parent, target, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # a wheel's programs look for them beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        complete.write_text(mark)
    return target / binaries.name
