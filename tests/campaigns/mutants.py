"""Which slips in a pure module its tests would notice: ``.venv/bin/python -m tests.campaigns.mutants risk/formulas``.

Each mutant is the code with one slip: another operator, a comparison with its boundary moved or turned round, another
constant, a condition negated, ``min`` for ``max``, nothing returned. It is killed where a test of
the formulas fails or runs on without end. Words of messages and annotations are left alone. A file may be tried in
parts (``risk/formulas/ruin.py:1-60``, lines). Further arguments name files of tests. With ``--sample 300`` so many of
all slips are drawn, always the same ones with the same ``--seed``, and the score has an interval. Name the tests that
are quick and exact first: the first that fails ends a trial. With ``--notes FILE`` a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import random
import signal
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import hypothesis
import numpy  # noqa: F401, ICN001  # loaded once, before the forks
import pytest
from scipy.stats import binomtest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, ModuleType

TESTS: Final = (
    "tests/risk/test_edges.py",
    "tests/risk/test_formulas.py",
    "tests/risk/test_outcomes.py",
    "tests/risk/test_ruin.py",
)
LONGEST_S: Final = 60
# Its file, its line, what it says there now, and the whole text of the mutant.
Mutant = tuple[Path, int, str, str]
# Neither numbers nor choices: their slips would be other types and words.
_UNTOUCHED: Final = {"annotation", "returns", "decorator_list", "names", "exc"}
_OPERATORS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_COMPARISONS: Final[dict[type[ast.AST], tuple[type[ast.AST], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_NAMES: Final = {
    "min": "max", "max": "min", "ZERO": "ONE", "ONE": "ZERO",
    "ROUND_FLOOR": "ROUND_CEILING", "ROUND_CEILING": "ROUND_FLOOR", "ROUND_HALF_EVEN": "ROUND_FLOOR",
}  # fmt: skip


def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """Return what could stand in a node's place by a slip."""
    match node:
        case ast.operator() | ast.boolop() if type(node) in _OPERATORS:
            yield _OPERATORS[type(node)]()
        case ast.cmpop():
            yield from (other() for other in _COMPARISONS.get(type(node), ()))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=other):
            yield ast.IfExp(test, other, body)
        case ast.If(test=test, body=body, orelse=other):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, other)
        case ast.Break():
            yield ast.Continue()
        case _:
            yield from _values(node)


def _values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str() as text)]):
            yield ast.Call(node.func, [ast.Constant(f"{text}1" if "e" in text else f"1{text}")], [])
        case ast.Name(id=name) if name in _NAMES:
            yield ast.Name(_NAMES[name], node.ctx)
        case ast.Return(value=value) if value is not None:
            yield ast.Return(ast.Constant(None))


def slips(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Return each mutant of a module: line, what it says there now, and its whole text."""
    for parent, name, place, node, line in list(_nodes(tree, 0)):
        for other in alternatives(node):
            _put(parent, name, place, ast.copy_location(other, node))
            ast.fix_missing_locations(tree)
            yield line, ast.unparse(parent).splitlines()[0], ast.unparse(tree)
            _put(parent, name, place, node)


def _nodes(parent: ast.AST, line: int) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, int]]:
    """Return each node that may slip: whose it is, under which name and place, itself, and its line."""
    for name, value in ast.iter_fields(parent):
        for place, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if name in _UNTOUCHED or not isinstance(node, ast.AST) or _is_idle(node):
                continue
            at = getattr(node, "lineno", line)
            yield parent, name, place, node, at
            yield from _nodes(node, at)


def _is_idle(node: ast.AST) -> bool:
    """Tell messages, and what runs under a type checker only."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")


def _put(parent: ast.AST, name: str, place: int | None, node: ast.AST) -> None:
    if place is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[place] = node


class Instead(MetaPathFinder, Loader):
    """Loads one module from another text."""

    def __init__(self, module: str, code: CodeType) -> None:
        self.module, self.code = module, code

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Answer for that module only."""
        return ModuleSpec(fullname, self) if fullname == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the other text."""
        exec(self.code, module.__dict__)  # a mutant is made to be run


def try_out(path: Path, text: str, tests: Sequence[str], longest_s: int) -> int:
    """Run the tests on a mutant in a process of its own; return its number."""
    child = os.fork()
    if child == 0:
        signal.alarm(longest_s)
        sys.meta_path.insert(0, Instead(".".join(path.with_suffix("").parts), compile(text, str(path), "exec")))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        options = ["-x", "-q", "--noconftest", "-c", os.devnull, "--rootdir=.", "-p", "no:cacheprovider"]
        os._exit(int(pytest.main([*options, "-p", "no:django", "-p", "no:xdist", *tests])))
    return child


def is_killed(path: Path, text: str, tests: Sequence[str], longest_s: int = LONGEST_S) -> bool:
    """Tell whether the tests fail on a mutant."""
    return os.waitpid(try_out(path, text, tests, longest_s), 0)[1] != 0


def survivors(mutants: Sequence[Mutant], asked: argparse.Namespace) -> Iterator[Mutant]:
    """Return the mutants that no test notices, so many tried at once as asked; go by what was noted before."""
    noted = set(asked.notes.read_text().split()) if asked.notes and asked.notes.exists() else set()
    tests = "".join(Path(test).read_text() for test in asked.tests)
    yield from (mutant for mutant in mutants if _mark(mutant, tests) in noted)
    waiting = [mutant for mutant in mutants if not noted & {_mark(mutant), _mark(mutant, tests)}]
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < asked.jobs:
            mutant = waiting.pop(0)
            running[try_out(mutant[0], mutant[3], asked.tests, asked.limit)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            yield mutant
        if asked.notes:
            with asked.notes.open("a") as notes:
                notes.write(f"{_mark(mutant) if status else _mark(mutant, tests)}\n")


def _mark(mutant: Mutant, tests: str = "") -> str:
    """Name a mutant that is killed; one that lives, together with the tests that let it."""
    return hashlib.sha256(f"{mutant[0]}\n{mutant[3]}{tests}".encode()).hexdigest()


def main() -> None:
    """Try every mutant, or a sample; print those that live, and the score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", help="a file, lines of it, or a directory")
    parser.add_argument("tests", nargs="*", default=TESTS)
    parser.add_argument("--sample", type=int, help="try so many of all slips")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--jobs", type=int, default=1, help="so many at once")
    parser.add_argument("--limit", type=int, default=LONGEST_S, help="seconds after which a slip runs without end")
    parser.add_argument("--notes", type=Path, help="a file of what was found, from which a run goes on")
    asked = parser.parse_args()
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, derandomize=True, max_examples=20)
    hypothesis.settings.load_profile("mutants")
    sys.path.insert(0, str(Path.cwd()))
    mutants = list(_mutants_of(asked.place))
    first = mutants[0][0]
    if is_killed(first, first.read_text(), asked.tests, asked.limit):
        sys.exit("The tests fail on the code as it is.")
    chosen = mutants if asked.sample is None else random.Random(asked.seed).sample(mutants, asked.sample)
    alive = 0
    for path, line, said, _ in survivors(chosen, asked):
        alive += 1
        sys.stdout.write(f"{path}:{line} lives: {said}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{asked.place}: {_score(len(chosen) - alive, len(chosen), len(mutants))}\n")


def _mutants_of(place: str) -> Iterator[Mutant]:
    """Return path, line, what it says there now, and the whole text of each mutant."""
    name, _, part = place.partition(":")
    root, (first, last) = Path(name), (int(line) for line in (part or "0-9999").split("-"))
    for path in sorted(root.glob("*.py")) if root.is_dir() else [root]:
        if path.name != "__init__.py":
            yield from ((path, *slip) for slip in slips(ast.parse(path.read_text())) if first <= slip[0] <= last)


def _score(killed: int, count: int, whole: int) -> str:
    said = f"{killed} of {count} killed, {100 * killed / count:.1f} %"
    if count == whole:
        return said
    interval = binomtest(killed, count).proportion_ci(method="wilson")
    return f"{said}, 95 % interval [{100 * interval.low:.1f}, {100 * interval.high:.1f}], drawn from {whole}"


if __name__ == "__main__":
    main()
