"""The house's rules, as checks that can fail: who imports whom, types, style, migrations and registries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bhweb", "market", "heatmaps", "risk", "journal", "alerts", "access")
BIN = Path(sys.executable).parent
PURE = ("market.series", "market.canonical", "market.contracts", "market.sources", "heatmaps.core", "risk.formulas")
# A file that breaks each contract, by the contract's id in pyproject.toml.
PLANTED = {
    "rooms": ("market/series.py", "import heatmaps.models"),
    "inside-rooms": ("market/series.py", "import market.queries"),
    "estimator-ladder": ("heatmaps/core/grid.py", "import heatmaps.core.inventory"),
    "market-doors": ("heatmaps/queries/__init__.py", "import market.benchmark"),
    "alerts-doors": ("bhweb/pipeline.py", "import alerts.operations"),
    "heatmaps-doors": ("journal/queries/plans.py", "import heatmaps.operations"),
    "access-doors": ("journal/queries/plans.py", "import access.operations"),
    "journal-doors": ("bhweb/pipeline.py", "import journal.operations"),
    "composition-doors": ("heatmaps/queries/__init__.py", "import market.tasks"),
    "network-edge": ("market/operations/live.py", "import ccxt"),
    "pure-modules": ("heatmaps/core/grid.py", "import django.db"),
    "pure-modules-clock": ("heatmaps/core/grid.py", "import time"),
    "pure-modules-network": ("market/sources/base.py", "import http.client"),
}


def contract_id(planted: str) -> str:
    return re.sub("^(pure-modules)-.*$", r"\1", planted)


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def lint_imports(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(str(BIN / "lint-imports"), "--no-cache", *arguments, cwd=cwd)


def test_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def house_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room)
    return copy


@pytest.mark.parametrize("contract", sorted(PLANTED))
def test_import_contract_refuses_a_planted_violation(house_copy: Path, contract: str) -> None:
    name, statement = PLANTED[contract]
    target = house_copy / name
    before = target.read_text()
    target.write_text(f"{before}\n{statement}\n")
    try:
        result = lint_imports(house_copy, "--contract", contract_id(contract))
    finally:
        target.write_text(before)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize(
    ("room", "contract"),
    [
        *((room, "Inside a room, doors call operations and queries") for room in ROOMS if room != "bhweb"),
        ("heatmaps/core", "The estimator is a ladder"),
    ],
)
def test_layers_are_exhaustive(house_copy: Path, room: str, contract: str) -> None:
    stray = house_copy / room / "helpers.py"
    stray.write_text('"""A stray."""\n')
    try:
        result = lint_imports(house_copy)
    finally:
        stray.unlink()
    told = " ".join(result.stdout.split())
    assert (result.returncode, told.count(" BROKEN"), re.search(rf"{contract}[a-z, ]* BROKEN", told) is not None) == (
        1,
        1,
        True,
    )
    assert f"- {room.replace('/', '.')}.helpers" in result.stdout


def test_every_contract_has_a_planted_violation() -> None:
    ids = set(re.findall(r'^id = "([a-z-]+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    assert ids == {contract_id(name) for name in PLANTED}


def test_ruff_is_content() -> None:
    result = run(str(BIN / "ruff"), "check", ".")
    assert result.returncode == 0, result.stdout[-4000:]


def test_ruff_formatting_is_kept() -> None:
    result = run(str(BIN / "ruff"), "format", "--check", ".")
    assert result.returncode == 0, result.stdout[-4000:]


# On a busy machine, without a cache, it takes minutes.
@pytest.mark.timeout(900)
def test_mypy_is_content() -> None:
    result = run(str(BIN / "mypy"), *ROOMS, "manage.py", "tests")
    assert result.returncode == 0, result.stdout[-4000:]


def test_ruff_and_mypy_find_planted_faults(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("import os\n\n\ndef twice(number):\n    return number*2\n")
    ruff, mypy, config = str(BIN / "ruff"), str(BIN / "mypy"), str(ROOT / "pyproject.toml")
    for command, fault in (
        ((ruff, "check", "--config", config), "F401"),
        ((ruff, "format", "--check", "--config", config), "1 file would be reformatted"),
        ((mypy, "--config-file", config), "no-untyped-def"),
    ):
        result = run(*command, str(planted))
        assert (result.returncode, fault in result.stdout) == (1, True), result.stdout


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    result = run(sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "module",
    ["market.series", "market.canonical", "market.contracts", "market.sources", "heatmaps.core", "risk.formulas"],
)
def test_pure_module_loads_without_django(module: str) -> None:
    program = f"""
import importlib, pkgutil, sys
for name in ("django", "rest_framework", "celery", "redis", "psycopg"):
    sys.modules[name] = None
package = importlib.import_module({module!r})
for found in pkgutil.walk_packages(getattr(package, "__path__", []), {module!r} + "."):
    importlib.import_module(found.name)
"""
    result = run(sys.executable, "-c", program)
    assert result.returncode == 0, result.stderr


def test_registries_load() -> None:
    program = """
from heatmaps.core.estimators import ESTIMATORS, load_estimator
from market.sources import SOURCES, load_source
for slug in SOURCES:
    assert load_source(slug).slug == slug
for slug in ESTIMATORS:
    assert load_estimator(slug).slug == slug
assert {"open-interest", "path-only"} <= set(ESTIMATORS), ESTIMATORS
assert "simulated" in SOURCES, SOURCES
"""
    result = run(sys.executable, "-c", program)
    assert result.returncode == 0, result.stderr
