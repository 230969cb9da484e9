"""The embedded servers: PostgreSQL and Valkey, on Unix sockets that only their owner can reach."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from bhweb import postmaster, privileges, processes
from bhweb.processes import Child, Household, Start
from bhweb.programs import find_postgres, find_valkey, made_executable
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOCKET_PATH_BYTES = 107  # of sockaddr_un on Linux; macOS has 104
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # what every client's URL parser reads alike
PORT = 5432  # part of the socket's name only
USER = DATABASE = "bh"
WEB_USER = "bh_web"
WORKER_USER = "bh_worker"
BUILTIN_LOCALE_VERSION = 17
START_SECONDS = 120  # recovery after a crash included

# Two cores and a few hundred MB; everything that differs from PostgreSQL's defaults.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "wal_compression": "on",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_connections": "100",
}


def socket_directory(data_dir: Path) -> Path:
    """Return where the sockets go: in the data directory, or in a short temporary one where its path is unfit."""
    inside = data_dir / "run"
    longest = inside / "pg" / f".s.PGSQL.{PORT}.lock"
    if len(os.fsencode(longest)) < SOCKET_PATH_BYTES - 3 and PLAIN_PATH.fullmatch(str(longest)):
        return inside
    short = _short_directory(data_dir)
    short.mkdir(mode=0o700, exist_ok=True)
    status = short.lstat()
    if short.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o066:
        raise StartError(f"{short} belongs to somebody else: remove it, or choose another --data-dir.")
    return short


def _short_directory(data_dir: Path) -> Path:
    base = tempfile.gettempdir()
    name = f"bh-{os.geteuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"
    return Path(base if len(base) < 40 else "/tmp") / name  # noqa: PLR2004, S108 # its owner is checked


def clear_sockets(data_dir: Path) -> None:
    """Remove the short directory, if there is one, after its servers have stopped."""
    with contextlib.suppress(OSError):
        shutil.rmtree(_short_directory(data_dir))


@contextlib.contextmanager
def _released_on_failure(household: Household, child: Child) -> Iterator[None]:
    """Leave no half-started server in the way of the next attempt."""
    try:
        yield
    except StartError:
        household.release(child)
        raise


@dataclass
class Postgres:
    """One PostgreSQL server over one cluster directory."""

    data_dir: Path
    logs: Path
    durable: bool = True
    mode: privileges.Mode = field(default_factory=privileges.choose_mode)
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Settle the paths."""
        self.home = privileges.reachable_home(self.data_dir, self.mode)
        self.cluster = self.home / "pg"
        self.sockets = socket_directory(self.home) / "pg"
        self.log = self.logs / "postgres.log"

    @property
    def url(self) -> str:
        """Return the address for libpq and Django alike."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.sockets), safe='')}&port={PORT}"

    def start(self, household: Household) -> Child:
        """Make the cluster where there is none, start the server, wait until it answers."""
        self.programs = privileges.reachable_binaries(find_postgres(), self.home, self.mode)
        self.sockets.parent.mkdir(mode=0o700, exist_ok=True)
        if self.mode is privileges.Mode.SETUID:
            self.sockets.parent.chmod(0o711)
        privileges.hand_over(self.sockets, self.mode)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(household)
        self._check_owner()
        self._check_version()
        self._clear_the_way()
        child = household.start(self._server())
        with _released_on_failure(household, child):
            self._wait(child)
        _ensure_database(self.sockets)
        return child

    def _initialise(self, household: Household) -> None:
        """Run initdb into a directory that gets its name only when complete."""
        fresh = self.cluster.with_name("pg-new")
        shutil.rmtree(fresh, ignore_errors=True)
        privileges.hand_over(fresh, self.mode)
        locale = ["--locale=C"]
        if self._major() >= BUILTIN_LOCALE_VERSION:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-U", USER, "--auth=trust", "-E", "UTF8", "--data-checksums", "--no-instructions", *locale]
        options += [] if self.durable else ["--no-sync"]
        child = household.start(self._start("initdb", [self.programs / "initdb", "-D", fresh, *options]))
        code = processes.wait_for_exit(child, pause=self.pause)
        household.release(child)
        if code:
            raise StartError(f"PostgreSQL could not make its cluster: {processes.last_words(child)} ({self.log})")
        fresh.rename(self.cluster)

    def _major(self) -> int:
        said = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        return int(re.findall(r"\d+", said.stdout)[0])

    def _check_owner(self) -> None:
        owner = self.cluster.stat().st_uid
        ours = privileges.nobody()[0] if self.mode is privileges.Mode.SETUID else os.geteuid()
        if owner != ours:
            raise StartError(
                f"{self.cluster} belongs to user {owner}, not to {ours} as whom PostgreSQL would run here:"
                " run as before, or choose another --data-dir."
            )

    def _check_version(self) -> None:
        made_by = int((self.cluster / "PG_VERSION").read_text())
        if made_by != self._major():
            raise StartError(
                f"{self.cluster} was made by PostgreSQL {made_by}, but {self._major()} is installed:"
                f" set BH_PG_BIN to the programs of version {made_by}, or choose another --data-dir."
            )

    def _server(self) -> Start:
        settings = SETTINGS if self.durable else {**SETTINGS, **THROW_AWAY}
        chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        where: list[Path | str] = ["-D", self.cluster, "-k", self.sockets, "-p", str(PORT)]
        return self._start("postgres", [self.programs / "postgres", *where, *chosen])

    def _start(self, name: str, argv: list[Path | str]) -> Start:
        return Start(
            name=name,
            argv=argv,
            log=self.log,
            cwd=self.home,
            stage=processes.DATABASE,
            stop_signal=signal.SIGINT,  # a fast shutdown
            become=privileges.become(self.mode),
        )

    def _clear_the_way(self) -> None:
        """Remove the marks of a server that is no more; one that is leaving is waited for."""
        pid_file = self.cluster / "postmaster.pid"
        deadline = time.monotonic() + 10
        while (leader := postmaster.leader(pid_file)) and postmaster.is_our_postgres(leader, self.cluster):
            if time.monotonic() > deadline:
                raise StartError(f"another PostgreSQL (process {leader}) uses {self.cluster}: stop it first.")
            self.pause(0.1)
        for mark in (pid_file, self.sockets / f".s.PGSQL.{PORT}", self.sockets / f".s.PGSQL.{PORT}.lock"):
            mark.unlink(missing_ok=True)

    def _wait(self, child: Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not postmaster.says_ready(self.cluster / "postmaster.pid"):
            if child.exit_code is not None or time.monotonic() > deadline:
                raise StartError(f"PostgreSQL did not start: {processes.last_words(child)} ({self.log})")
            self.pause(0.02)


def _ensure_database(sockets: Path) -> None:
    import psycopg  # noqa: PLC0415 # not there while .venv is being built

    with psycopg.connect(host=str(sockets), port=PORT, user=USER, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")
        # The web server connects as a role that owns nothing: policies hold it back (journal, migration 0014).
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB_USER]).fetchone():
            connection.execute(f"CREATE ROLE {WEB_USER} LOGIN")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WORKER_USER]).fetchone():
            connection.execute(f"CREATE ROLE {WORKER_USER} LOGIN")


@dataclass
class Valkey:
    """One Valkey server: broker, cache and pub/sub. PostgreSQL is the truth; this may be lost."""

    data_dir: Path
    logs: Path
    durable: bool = True
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Settle the paths."""
        self.home = self.data_dir / "valkey"
        self.socket = socket_directory(self.data_dir) / "valkey.sock"
        self.log = self.logs / "valkey.log"

    @property
    def url(self) -> str:
        """Return the address in Celery's spelling; the settings translate it for redis-py."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def start(self, household: Household) -> Child:
        """Start the server and wait until it answers."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        child = household.start(
            Start(name="valkey", argv=self._argv(), log=self.log, cwd=self.home, stage=processes.BROKER)
        )
        with _released_on_failure(household, child):
            self._wait(child)
        return child

    def _argv(self) -> list[Path | str]:
        place: list[Path | str] = [
            "--port",
            "0",
            "--unixsocket",
            self.socket,
            "--unixsocketperm",
            "700",
            "--dir",
            self.home,
        ]
        memory = ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--databases", "2", "--save", ""]
        return [
            made_executable(find_valkey(), self.home),
            *place,
            *memory,
            "--appendonly",
            "yes" if self.durable else "no",
        ]

    def _wait(self, child: Child) -> None:
        import redis  # noqa: PLC0415 # not there while .venv is being built

        deadline = time.monotonic() + START_SECONDS
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            while True:
                with contextlib.suppress(redis.RedisError):
                    client.ping()  # refuses while it loads its file
                    return
                if child.exit_code is not None or time.monotonic() > deadline:
                    raise StartError(f"Valkey did not start: {processes.last_words(child)} ({self.log})")
                self.pause(0.02)
