"""`up` as somebody who is not root, and where there is no room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.operations.installation import ROOT, answer_of, error_line, installed
from tests.operations.test_embedded import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="root alone can become somebody else"),
    pytest.mark.timeout(300),
]
USER = 61_234  # nobody's number on any machine


@pytest.fixture(scope="module")
def open_place() -> Iterator[Path]:
    """A directory that every user can reach; pytest's own is root's."""
    place = Path("/var/tmp") / f"bh-user-{os.getpid()}"
    place.mkdir(mode=0o755)
    os.chown(place, USER, USER)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def python(open_place: Path) -> str:
    """An interpreter with our packages that the user may run: ours, else one linked to a place within reach."""
    base = Path(sys.base_prefix)
    copy = open_place / "python"
    shutil.copytree(base, copy / "base", symlinks=True, copy_function=_link, ignore=shutil.ignore_patterns("test"))
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    make: list[Path | str] = [copy / "base" / "bin" / name, "-m", "venv", "--without-pip", copy / "venv"]
    subprocess.run(make, check=True, env={**os.environ, **_environment(open_place)})
    packages = Path("lib") / name / "site-packages"
    shutil.copytree(Path(sys.prefix) / packages, copy / "venv" / packages, dirs_exist_ok=True, copy_function=_link)
    return str(copy / "venv" / "bin" / "python")


def _environment(open_place: Path) -> dict[str, str]:
    """Return what the copied interpreter needs: some are built with their library's first place in them."""
    return {"HOME": str(open_place), "LD_LIBRARY_PATH": str(open_place / "python" / "base" / "lib")}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def tree(open_place: Path) -> Path:
    """The sources as the user's own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    assert names, "the sources are not a git checkout"
    for name in names:
        target = open_place / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    subprocess.run(["chown", "-R", f"{USER}:{USER}", open_place / "tree"], check=True)
    return open_place / "tree"


def test_up_works_for_an_ordinary_user(open_place: Path, tree: Path, python: str) -> None:
    with installed(open_place / "data", root=tree, python=python, user=USER) as installation:
        run = installation.up("--check", "--no-demo", **_environment(open_place))
        assert run.returncode == 0, run.stderr
        assert answer_of(run)["ready"] is True
        assert (installation.data_dir / "pg").stat().st_uid == USER
        assert installation.processes() == {}


def test_data_directory_of_another_user_gives_one_line(
    open_place: Path, tree: Path, python: str, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with installed(open_place / "other", root=tree, python=python, user=USER) as installation:
        run = installation.command("up", "--check", "--data-dir", str(closed / "data"), **_environment(open_place))
    assert "cannot be written (Permission denied): choose another with --data-dir." in error_line(run)


def test_small_disk_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 40), installed(tmp_path / "small" / "data") as installation:
        run = installation.up("--check", "--no-demo")
        assert "MB are needed: free some room, or choose another place with --data-dir." in error_line(run)
        assert answer_of(run)["ready"] is False
        assert not (installation.data_dir / "pg").exists()


def test_disk_that_fills_up_while_running_ends_in_one_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 400), installed(tmp_path / "small" / "data") as installation:
        installation.output = tmp_path / "output"
        installation.begin_and_wait("--no-demo")
        _fill(tmp_path / "small" / "ballast")
        assert installation.process
        assert installation.process.wait(20) == 1
        installation.assert_all_gone()
        (line,) = [line for line in installation.said().splitlines() if line.startswith("error: ")]
        assert line.startswith("error: no space is left on the disk that holds the data directory")
        assert "free some room" in line
        assert "Traceback" not in installation.said()


def test_disk_that_fills_up_while_starting_ends_in_one_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 300), installed(tmp_path / "small" / "data") as installation:
        installation.output = tmp_path / "output"
        installation.begin("--no-demo")
        installation.wait_for("starting PostgreSQL")
        _fill(tmp_path / "small" / "ballast")
        assert installation.process
        assert installation.process.wait(30) == 1
        installation.assert_all_gone()
        (line,) = [line for line in installation.said().splitlines() if line.startswith("error: ")]
        assert "free some room" in line
        assert "Traceback" not in installation.said()


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            return
