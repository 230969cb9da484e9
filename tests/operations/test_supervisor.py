"""`manage.py up`, as a person runs it: real processes in temporary data directories."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bhweb.readiness import Visitor
from tests.operations.installation import Installation, answer_of, error_line, free_port, installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find every process"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("up") / "data") as installation:
        installation.begin_and_wait("--no-demo")
        yield installation


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "data") as installation:
        yield installation


def children_named(installation: Installation, text: str) -> list[int]:
    return [pid for pid, command in installation.processes().items() if text in command]


def test_up_serves_the_site_and_its_link_logs_in_once(running: Installation) -> None:
    link = running.login_link()
    assert Visitor(running.url).get("/healthz")[0] == 200
    stranger = Visitor(running.url)
    assert not stranger.sees_instruments()
    assert stranger.log_in(link)
    assert stranger.sees_instruments()
    assert not Visitor(running.url).log_in(link)


def test_up_runs_every_part(running: Installation) -> None:
    commands = running.processes().values()
    for part in ("/postgres ", "valkey-server", "worker --queue live", "worker --queue backfill", "beat", "granian"):
        assert any(part in command for command in commands), part


def test_secrets_are_their_owners_alone(running: Installation) -> None:
    for name in ("secret_key", "run/services.json"):
        assert stat.S_IMODE((running.data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
    assert not (running.data_dir / "run" / "prepare.json").exists()


def test_second_up_says_where_the_first_one_runs(running: Installation) -> None:
    before = running.processes()
    second = running.up("--no-demo")
    assert error_line(second) == f"error: BH Terminal runs already at {running.url}/ (process {running.process.pid})."  # type: ignore[union-attr]
    assert running.processes() == before


def test_commands_use_the_running_servers(running: Installation) -> None:
    postmaster = children_named(running, "/postgres ")
    said = running.command(
        "shell", "--no-imports", "-c", "from django.db import connection as c; print(c.settings_dict['HOST'])"
    )
    assert (said.returncode, said.stdout.strip()) == (0, str(running.data_dir / "run" / "pg"))
    assert children_named(running, "/postgres ") == postmaster


@pytest.mark.parametrize("part", ["worker --queue live", "/postgres ", "valkey-server", "beat"])
def test_killed_child_comes_back(running: Installation, part: str) -> None:
    (first, *_) = sorted(children_named(running, part))
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while not (back := [pid for pid in children_named(running, part) if pid != first]) or first in back:
        assert time.monotonic() < deadline, running.said()
        time.sleep(0.1)
    while Visitor(running.url).get("/healthz")[0] != 200:
        assert time.monotonic() < deadline, running.said()
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_leaves_no_process(fresh: Installation, number: signal.Signals) -> None:
    fresh.begin_and_wait("--no-demo")
    assert len(fresh.processes()) > 8
    code = fresh.end(number)
    fresh.assert_all_gone()
    assert code == 0
    assert "Traceback" not in fresh.said()


@pytest.mark.parametrize("moment", ["starting PostgreSQL", "preparing the database", "starting the workers"])
def test_interrupt_while_starting_leaves_no_process(fresh: Installation, moment: str) -> None:
    fresh.begin("--no-demo")
    fresh.wait_for(moment)
    fresh.end(signal.SIGINT)
    fresh.assert_all_gone()
    assert "Traceback" not in fresh.said()


def test_kill_at_work_leaves_no_process_and_the_next_start_draws_the_heatmap(fresh: Installation) -> None:
    fresh.begin_and_wait()  # the workers are making the first heatmaps now
    assert fresh.end(signal.SIGKILL) == -signal.SIGKILL
    fresh.assert_all_gone()
    run = fresh.up("--check")
    answer = answer_of(run)
    assert run.returncode == 0
    assert (answer["ready"], answer["url"]) == (True, f"{fresh.url}/")
    assert 0 < answer["seconds"] <= answer["first_heatmap_seconds"]
    assert fresh.processes() == {}


def test_busy_port_is_named_before_anything_starts(fresh: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.port))
        other.listen()
        line = error_line(fresh.up("--no-demo"))
    assert line.startswith(f"error: port {fresh.port} is in use by another program: choose another, as in --port ")
    assert not (fresh.data_dir / "pg").exists()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgresql//nonsense", "error: DATABASE_URL (postgresql//nonsense) cannot be understood: it must look like"),
        ("postgresql://a:b@h:port/x", "error: DATABASE_URL cannot be understood (Port could not be cast"),
        (
            "postgresql://a:secret@127.0.0.1:1/x",
            "error: DATABASE_URL (postgresql://a:***@127.0.0.1:1/x): nothing answers",
        ),
        ("postgresql://a@nowhere.invalid/x", "error: DATABASE_URL (postgresql://a@nowhere.invalid/x): no such host"),
    ],
)
def test_wrong_database_url_gives_one_line(fresh: Installation, url: str, line: str) -> None:
    run = fresh.up("--no-demo", "--check", DATABASE_URL=url)
    assert error_line(run).startswith(line)
    assert answer_of(run) == {"ready": False, "reason": error_line(run).removeprefix("error: ")}
    assert fresh.processes() == {}


def test_missing_database_gives_one_line(running: Installation, tmp_path: Path) -> None:
    url = f"postgresql://bh@/absent?host={running.data_dir}/run/pg&port=5432"
    with installed(tmp_path / "data") as other:
        line = error_line(other.up("--no-demo", DATABASE_URL=url))
    assert "the server has no such database: create it with createdb" in line


def test_unanswered_redis_url_gives_one_line(fresh: Installation) -> None:
    line = error_line(fresh.up("--no-demo", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"))
    assert "no answer from the server" in line


def test_command_without_servers_starts_its_own_and_stops_them(fresh: Installation) -> None:
    run = fresh.command("showmigrations", "access", PGHOST="nowhere.invalid", PGSERVICE="none")
    assert run.returncode == 0, run.stderr
    assert "0001" in run.stdout
    assert fresh.processes() == {}
    assert (fresh.data_dir / "pg").exists()


def test_command_before_the_first_start_finds_its_tables(fresh: Installation) -> None:
    run = fresh.command("bench", "import", "--json", "--rows", "100")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1])["rows"] == 100


@pytest.mark.parametrize("command", ["web", "worker", "beat"])
def test_scaled_command_names_what_it_needs(fresh: Installation, command: str) -> None:
    line = error_line(fresh.command(command, REDIS_URL="redis://127.0.0.1:6379/0"))
    assert "needs DATABASE_URL, BH_SECRET_KEY;" in line
