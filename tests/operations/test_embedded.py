"""The embedded servers, started for real over throw-away directories."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from bhweb import privileges, services
from bhweb.datadir import DataDir
from bhweb.embedded import Postgres, Valkey, clear_sockets, socket_directory
from bhweb.privileges import Mode
from bhweb.processes import NO_SPACE, Household
from bhweb.programs import find_postgres
from bhweb.progress import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(300)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its rights away, or mount a small disk")


@pytest.fixture
def household() -> Iterator[Household]:
    household = Household()
    yield household
    household.stop()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    data = DataDir(tmp_path / "data")
    data.open()
    yield data
    clear_sockets(data.path)


@pytest.fixture
def postgres(data: DataDir) -> Postgres:
    return Postgres(data.path, data.logs, durable=False)


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def test_postgres_answers_on_its_socket_only(postgres: Postgres, household: Household) -> None:
    child = postgres.start(household)
    assert one(postgres.url, "SELECT current_database()") == "bh"
    assert one(postgres.url, "SHOW listen_addresses") == ""
    assert one(postgres.url, "SHOW data_checksums") == "on"
    assert one(postgres.url, "SHOW server_encoding") == "UTF8"
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    sockets = subprocess.run(["ls", "-l", f"/proc/{child.process.pid}/fd"], capture_output=True, text=True, check=False)
    assert "TCP" not in sockets.stdout


def test_postgres_keeps_its_rows_through_a_kill(data: DataDir, household: Household) -> None:
    postgres = Postgres(data.path, data.logs)
    child = postgres.start(household)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10000) AS number")
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    household.release(child)
    postgres.start(household)
    assert one(postgres.url, "SELECT count(*) FROM kept") == 10_000


def test_postgres_starts_over_a_pid_file_that_names_another_process(postgres: Postgres, household: Household) -> None:
    child = postgres.start(household)
    marks = (postgres.cluster / "postmaster.pid").read_text()
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    household.release(child)
    foreign = "\n".join([str(os.getpid()), *marks.splitlines()[1:]])
    (postgres.cluster / "postmaster.pid").write_text(foreign + "\n")
    (postgres.sockets / ".s.PGSQL.5432.lock").write_text(foreign + "\n")
    postgres.start(household)
    assert one(postgres.url, "SELECT 1") == 1


def test_postgres_refuses_a_cluster_of_another_version(postgres: Postgres, household: Household) -> None:
    household.release(child := postgres.start(household))
    child.process.wait()
    (postgres.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match=r"was made by PostgreSQL 12, but .* is installed: set BH_PG_BIN"):
        postgres.start(household)


@as_root
def test_cluster_of_another_user_is_refused(postgres: Postgres, household: Household) -> None:
    postgres.start(household)
    household.stop()
    os.chown(postgres.cluster, 4321, 4321)
    with pytest.raises(StartError, match=r"belongs to user 4321, not to 0 .*: run as before, or choose another"):
        postgres.start(household)


def test_interrupted_initdb_is_begun_anew(postgres: Postgres, household: Household) -> None:
    (postgres.home / "pg-new" / "base").mkdir(parents=True)
    postgres.start(household)
    assert one(postgres.url, "SELECT 1") == 1


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BH_PG_BIN", str(tmp_path))
    with pytest.raises(StartError, match=r"BH_PG_BIN is .* but there are no `postgres` and `initdb` in it"):
        find_postgres()


@pytest.mark.parametrize("name", ["deep/" * 25 + "data", "with space", "ümlaut", "per%20cent"])
def test_unfit_socket_paths_move_to_a_short_directory(tmp_path: Path, household: Household, name: str) -> None:
    data = DataDir(tmp_path / name)
    data.open()
    postgres = Postgres(data.path, data.logs, durable=False)
    valkey = Valkey(data.path, data.logs, durable=False)
    postgres.start(household)
    valkey.start(household)
    place = socket_directory(data.path)
    assert place.parent == Path(tempfile.gettempdir())
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert one(postgres.url, "SELECT 1") == 1
    assert redis.Redis(unix_socket_path=str(valkey.socket)).ping()
    household.stop()
    clear_sockets(data.path)
    assert not place.exists()


def test_short_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    data_dir = tmp_path / "with space"
    socket_directory(data_dir).chmod(0o777)
    with pytest.raises(StartError, match="belongs to somebody else"):
        socket_directory(data_dir)
    clear_sockets(data_dir)


def test_valkey_keeps_what_it_was_told(data: DataDir, household: Household) -> None:
    valkey = Valkey(data.path, data.logs)
    child = valkey.start(household)
    redis.Redis(unix_socket_path=str(valkey.socket)).set("kept", "yes")
    child.process.terminate()
    child.process.wait()
    household.release(child)
    valkey.start(household)
    assert redis.Redis(unix_socket_path=str(valkey.socket)).get("kept") == b"yes"


def test_wrong_password_gives_one_line(postgres: Postgres, household: Household) -> None:
    postgres.start(household)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")
    (postgres.cluster / "pg_hba.conf").write_text("local all guest scram-sha-256\nlocal all all trust\n")
    assert one(postgres.url, "SELECT pg_reload_conf()") is True
    url = postgres.url.replace("bh@", "guest:mistaken@")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # the reload takes a moment
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
            time.sleep(0.05)
            continue
        break
    with pytest.raises(StartError, match="the server refuses this user: check user and password") as refusal:
        services.check_database(url)
    assert "mistaken" not in str(refusal.value)


@as_root
@pytest.mark.parametrize("mode", [Mode.NAMESPACE, Mode.SETUID])
def test_root_runs_postgres_without_its_powers(data: DataDir, household: Household, mode: Mode) -> None:
    if mode is Mode.NAMESPACE and privileges.choose_mode() is not mode:
        pytest.skip("this machine refuses user namespaces")
    postgres = Postgres(data.path, data.logs, durable=False, mode=mode)
    child = postgres.start(household)
    status = Path(f"/proc/{child.process.pid}/status").read_text()
    (powers,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff")]
    assert int(powers, 16) == 0
    assert one(postgres.url, "SELECT 1") == 1


@as_root
def test_nobody_gets_a_home_where_the_data_directory_is_out_of_reach(household: Household, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = DataDir(closed / "data")
    data.open()
    postgres = Postgres(data.path, data.logs, durable=False, mode=Mode.SETUID)
    try:
        postgres.start(household)
        assert one(postgres.url, "SELECT 1") == 1
        assert postgres.home.parent == privileges.ELSEWHERE
        assert postgres.cluster.stat().st_uid == privileges.nobody()[0]
        household.stop()
    finally:
        clear_sockets(postgres.home)
        subprocess.run(["rm", "-rf", postgres.home], check=True)


@as_root
@pytest.mark.parametrize("megabytes", [6, 20])
def test_initdb_on_a_full_disk_gives_one_line(tmp_path: Path, household: Household, megabytes: int) -> None:
    with small_disk(tmp_path / "small", megabytes):
        data = DataDir(tmp_path / "small" / "data")
        data.open()
        with pytest.raises(StartError, match=NO_SPACE.pattern):
            Postgres(data.path, data.logs).start(household)
        household.stop()
        clear_sockets(data.path)


PARENT = """
    import signal, subprocess, sys, time
    from pathlib import Path
    from bhweb import processes
    if sys.argv[1] == "without":
        processes.death_signal = lambda: None
    household = processes.Household()
    stubborn = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); time.sleep(60)"
    for stage in range(3):
        household.start(processes.Start("stubborn", [sys.executable, "-c", stubborn, "{mark}"], stage=stage))
    print("started", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("kernel_help", ["with", "without"])
def test_killed_parent_leaves_no_process(tmp_path: Path, kernel_help: str) -> None:
    mark = f"mark-{os.getpid()}-{kernel_help}"
    program = textwrap.dedent(PARENT).replace("{mark}", mark)
    parent = subprocess.Popen([sys.executable, "-c", program, kernel_help], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    assert parent.stdout.readline() == "started\n"
    deadline = time.monotonic() + 10
    while len(_having(mark)) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(_having(mark)) == 6
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _having(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _having(mark) == []


def _having(mark: str) -> list[str]:
    listed = subprocess.run(["ps", "-wweo", "pid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"os.fork(); time.sleep(60) {mark}" in line]
