"""The house's rules, as checks that can fail: clocks, sizes, what templates hold and what pages say."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bhweb", "market", "heatmaps", "risk", "journal", "alerts", "access")


def python_files(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    assert found
    return sorted(found)


CLOCKS = {("datetime", "now"), ("timezone", "now"), ("datetime", "today"), ("date", "today")}
CLOCKS |= {
    ("time", name + unit) for name in ("time", "perf_counter", "monotonic", "process_time") for unit in ("", "_ns")
}
CLOCKLESS = (
    "core", "operations", "queries", "pages", "picture", "series", "canonical", "contracts", "sources", "formulas",
    "models", "forms",
)  # fmt: skip


def clock_calls(path: Path) -> list[int]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = {(node.module, name.name) for name in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            names = {(getattr(node.value, "id", getattr(node.value, "attr", "")), node.attr)}
        else:
            continue
        if names & CLOCKS:
            found.append(node.lineno)
    return found


def test_the_domain_reads_no_clock() -> None:
    domain = [
        path
        for path in python_files(*ROOMS)
        if any(part.removesuffix(".py") in CLOCKLESS for part in path.relative_to(ROOT).parts[1:])
    ]
    assert len(domain) > 10
    assert {str(path.relative_to(ROOT)): clock_calls(path) for path in domain if clock_calls(path)} == {}


@pytest.mark.parametrize(
    "line",
    ["x = dt.datetime.now()", "x = timezone.now()", "x = time.perf_counter()", "from time import monotonic, sleep"],
)
def test_clock_check_finds_a_planted_clock(tmp_path: Path, line: str) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(f"import datetime as dt\n{line}\n")
    assert clock_calls(planted) == [2]


FILE_LINES, FUNCTION_LINES, KERNEL_LINES = 300, 40, 60


def long_functions(path: Path, most: int) -> dict[str, int]:
    sizes = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node):
                size -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            sizes[f"{path.name}:{node.lineno} {node.name}"] = size
    return {name: size for name, size in sizes.items() if size > most}


def long_files(paths: Iterable[Path]) -> dict[str, int]:
    lines = {str(path): path.read_text().count("\n") for path in paths}
    return {name: count for name, count in lines.items() if count > FILE_LINES}


def test_files_and_functions_stay_small() -> None:
    sources = python_files(*ROOMS, "tests")
    scripts = [path for ending in ("js", "css") for path in (ROOT / "static").rglob(f"*.{ending}")]
    assert len(scripts) > 10
    assert long_files([*sources, *scripts]) == {}
    kernels = [path for path in sources if "core" in path.relative_to(ROOT).parts]
    found = [long_functions(path, KERNEL_LINES if path in kernels else FUNCTION_LINES) for path in sources]
    assert [functions for functions in found if functions] == []


def test_size_check_finds_planted_faults(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    long, short = "        x = 1\n" * FUNCTION_LINES, "        x = 1\n"
    planted.write_text(f"class A:\n    def run():\n{long}\nclass B:\n    def run():\n{short}" + "\n" * FILE_LINES)
    assert list(long_functions(planted, FUNCTION_LINES).values()) == [FUNCTION_LINES + 1]
    assert list(long_files([planted])) == [str(planted)]


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
LITERAL = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")


def spoken(path: Path) -> str:
    """Return what a file may put before a reader's eyes: a template's text, a program's strings."""
    text = path.read_text()
    if path.suffix == ".html":
        return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)
    if path.suffix == ".md":
        return text
    if path.suffix == ".js":
        return "\n".join(LITERAL.findall(text))
    constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return "\n".join(value for value in constants if isinstance(value, str))


def test_pages_give_no_advice() -> None:
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").rglob("*.js"), *ROOT.glob("*/views.py")]
    pages += [*(ROOT / "heatmaps/pages").glob("*.py"), *ROOT.glob("*/forms.py")]
    pages += [*(ROOT / "heatmaps/picture").glob("*.py"), *(ROOT / "docs" / "articles").glob("*.md")]
    assert {path.suffix for path in pages} == {".html", ".js", ".md", ".py"}
    found = {str(path.relative_to(ROOT)): ADVICE.findall(spoken(path)) for path in pages}
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "{# buy #}<p>Buy here</p>"),
        ("page.js", "const note = `Buy ${amount}`; // sell"),
        ("page.md", "Buy here"),
        ("page.py", '# sell\nnote = f"Buy {amount}"\n'),
    ],
)
def test_advice_check_finds_a_planted_sentence(tmp_path: Path, name: str, text: str) -> None:
    planted = tmp_path / name
    planted.write_text(text)
    assert ADVICE.findall(spoken(planted)) == ["Buy"]


INDEX_HOST = re.compile(
    "|".join(("pypi" + r"\.org", "files.python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"))
)


def naming_an_index(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths if path.is_file() and INDEX_HOST.search(path.read_text(errors="replace"))]


def git_files() -> list[str]:
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, text=True, check=False)
    return listed.stdout.split("\0")[:-1]


def test_no_file_names_a_package_index() -> None:
    tracked = [ROOT / name for name in git_files()] or python_files(*ROOMS)
    assert naming_an_index(tracked) == []


def test_index_check_finds_a_planted_host(tmp_path: Path) -> None:
    planted = tmp_path / "requirements.txt"
    planted.write_text("--index-url https://" + "pypi" + ".org/simple\n")
    assert naming_an_index([planted, tmp_path / "absent"]) == [str(planted)]


def test_each_decision_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name[0].isdigit())
    numbers = [name[:4] for name in names]
    assert numbers == sorted(set(numbers))
    titles = [(ROOT / "docs" / "decisions" / name).read_text().split(".", 1)[0] for name in names]
    assert titles == [f"# {int(number)}" for number in numbers]
