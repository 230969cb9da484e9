"""The house's rules, as checks that can fail: who imports whom, sizes, clocks, templates, types and style."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bhweb", "market", "heatmaps", "risk", "journal", "access")
BIN = Path(sys.executable).parent
# A file that breaks each contract, by the contract's id in pyproject.toml.
PLANTED = {
    "rooms": ("market/series.py", "import heatmaps.models"),
    "inside-rooms": ("market/series.py", "import market.queries"),
    "estimator-ladder": ("heatmaps/core/grid.py", "import heatmaps.core.inventory"),
    "market-doors": ("heatmaps/queries.py", "import market.models"),
    "heatmaps-doors": ("journal/queries.py", "import heatmaps.operations"),
    "access-doors": ("journal/queries.py", "import access.operations"),
    "journal-doors": ("bhweb/pipeline.py", "import journal.operations"),
    "pure-modules": ("heatmaps/core/grid.py", "import django.db"),
    "pure-modules-clock": ("heatmaps/core/grid.py", "import time"),
}


def python_files(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    assert found
    return sorted(found)


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
        result = lint_imports(house_copy, "--contract", contract.removesuffix("-clock"))
    finally:
        target.write_text(before)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize("room", ["market", "heatmaps", "heatmaps/core"])
def test_layers_are_exhaustive(house_copy: Path, room: str) -> None:
    stray = house_copy / room / "helpers.py"
    stray.write_text('"""A stray."""\n')
    try:
        result = lint_imports(house_copy)
    finally:
        stray.unlink()
    assert result.returncode == 1, result.stdout


def test_every_contract_has_a_planted_violation() -> None:
    ids = set(re.findall(r'^id = "([a-z-]+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    assert ids == {name.removesuffix("-clock") for name in PLANTED}


def test_ruff_is_content() -> None:
    result = run(str(BIN / "ruff"), "check", ".")
    assert result.returncode == 0, result.stdout[-4000:]


def test_ruff_formatting_is_kept() -> None:
    result = run(str(BIN / "ruff"), "format", "--check", ".")
    assert result.returncode == 0, result.stdout[-4000:]


def test_mypy_is_content() -> None:
    result = run(str(BIN / "mypy"), *ROOMS, "manage.py")
    assert result.returncode == 0, result.stdout[-4000:]


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    result = run(sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "module", ["market.series", "market.contracts", "market.sources", "heatmaps.core", "risk.formulas"]
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


CLOCKS = {("datetime", "now"), ("timezone", "now"), ("datetime", "today"), ("date", "today"), ("time", "time")}
CLOCKLESS = ("core", "operations", "queries", "series", "contracts", "sources", "formulas", "models", "forms")


def clock_calls(path: Path) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name | ast.Attribute)
        and (getattr(node.value, "id", getattr(node.value, "attr", "")), node.attr) in CLOCKS
    ]


def test_the_domain_reads_no_clock() -> None:
    domain = [
        path
        for path in python_files(*ROOMS)
        if any(part.removesuffix(".py") in CLOCKLESS for part in path.relative_to(ROOT).parts[1:])
    ]
    assert len(domain) > 10
    assert {str(path.relative_to(ROOT)): clock_calls(path) for path in domain if clock_calls(path)} == {}


def test_clock_check_finds_a_planted_clock(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("import datetime as dt\nx = dt.datetime.now()\n")
    assert clock_calls(planted) == [2]


def function_sizes(path: Path) -> dict[str, int]:
    sizes = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node):
                size -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            sizes[f"{path.relative_to(ROOT)}:{node.name}"] = size
    return sizes


def test_files_and_functions_stay_small() -> None:
    files = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in python_files(*ROOMS)}
    assert {name: lines for name, lines in files.items() if lines > 300} == {}
    functions = {name: size for path in python_files(*ROOMS) for name, size in function_sizes(path).items()}
    limit = {name: 60 if "/core/" in name else 40 for name in functions}
    assert {name: size for name, size in functions.items() if size > limit[name]} == {}


UNSAFE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style|\son[a-z]+=|\sstyle=|\|\s*safe\b|hx-on|js:|mark_safe"
)


def test_templates_have_nothing_inline() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert templates
    found = {str(path.relative_to(ROOT)): UNSAFE.findall(path.read_text()) for path in templates}
    assert {name: hits for name, hits in found.items() if hits} == {}
    assert {str(path.relative_to(ROOT)) for path in templates if path.read_text().count("\n") > 200} == set()


@pytest.mark.parametrize(
    "line", ["<script>x</script>", '<p onclick="x">', '<p style="x">', "{{ x|safe }}", '<p hx-on:click="x">']
)
def test_template_check_finds_a_planted_fault(line: str) -> None:
    assert UNSAFE.search(line)


ADVICE = re.compile(r"\b(buy|sell|magnet|watch out|squeeze incoming|go long|go short|support level)\b", re.IGNORECASE)


def test_pages_give_no_advice() -> None:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", path.read_text(), flags=re.DOTALL)
        assert ADVICE.findall(text) == [], path


def test_no_file_names_a_package_index() -> None:
    tracked = run("git", "ls-files").stdout.split() or [str(p.relative_to(ROOT)) for p in python_files(*ROOMS)]
    host = re.compile(
        "|".join(("pypi" + r"\.org", "files.python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"))
    )
    found = [
        name for name in tracked if (ROOT / name).is_file() and host.search((ROOT / name).read_text(errors="replace"))
    ]
    assert found == []
