"""`manage.py test` and what continuous integration calls."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bhweb import suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only programs there are."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(suite, "MAC_BROWSERS", ())
    monkeypatch.delenv("BH_CHROMIUM", raising=False)
    return directory


def add(programs: Path, name: str, text: str = "exit 0") -> str:
    program = programs / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_chosen_browser_comes_first(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chrome = add(programs, "google-chrome")
    assert suite.find_browser() == chrome
    chromium = add(programs, "chromium")
    assert suite.find_browser() == chromium
    monkeypatch.setenv("BH_CHROMIUM", "/opt/chosen")
    assert suite.find_browser() == "/opt/chosen"


def test_root_on_debian_gets_a_browser(programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    (tmp_path / "debian_version").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(suite, "DEBIAN", tmp_path / "debian_version")
    place = programs / "chromium"
    add(programs, "apt-get", f'echo "$@" >> {calls}; /bin/cp {programs}/apt-get {place}')
    assert suite.install_browser() == str(place)
    assert calls.read_text().splitlines() == ["-q update", "-q install --yes --no-install-recommends chromium"]


def test_browser_that_cannot_be_installed_is_said(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(suite, "DEBIAN", tmp_path)
    add(programs, "apt-get", "exit 100")
    assert suite.install_browser() is None
    assert "Chromium could not be installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "parallel"),
    [
        ([], ["-n", "2", "--dist", "loadfile"]),
        (["tests/core", "-k", "grid"], ["-n", "2", "--dist", "loadfile"]),
        (["-n", "0"], []),
        (["-n4"], []),
        (["--pdb"], []),
    ],
)
def test_arguments_reach_pytest(monkeypatch: pytest.MonkeyPatch, arguments: list[str], parallel: list[str]) -> None:
    ran: list[list[str]] = []
    monkeypatch.setenv("BH_CHROMIUM", "/opt/chosen")
    monkeypatch.setenv("BH_BOOTSTRAP", "0")
    monkeypatch.setattr(os, "execv", lambda _, argv: ran.append(argv))
    suite.main(arguments)
    assert [argv[1:] for argv in ran] == [["-m", "pytest", *parallel, *arguments]]


def test_continuous_integration_runs_the_same_command(programs: Path, tmp_path: Path) -> None:
    add(programs, "python3", 'echo "$PWD" "$@"')
    path = f"{programs}:/usr/bin:/bin"
    said = subprocess.run(
        [ROOT / ".ci" / "run", "-x"], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{ROOT} manage.py test -x\n"
