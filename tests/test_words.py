"""Words: nothing on a page, in a message or in a mail tells a reader what to do in the market, or gives a bare number.

Buttons may be imperative about the product ("Save plan"). Sentences about the market state what is estimated, how
sure that is, and as of when.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.test_house_rules import ROOMS, ROOT, python_files, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

# Anywhere in a sentence.
_VERBS: Final = "buy|sell|enter|exit|wait|watch|hold|close|open|trade|hedge|avoid"
ADVICE: Final = re.compile(
    rf"""\b(?:
    buy|sell|magnets?|squeeze\ incoming|support\ level|resistance\ level|sure\ thing|guaranteed?|
    go(?:ing)?\ (?:long|short)|load\ up|front-?run|scalp|take\ profits?|bounce\ expected|
    (?:you\ )?(?:should|must|ought\ to)\ (?:now\ )?(?:{_VERBS})|
    watch\ (?:out|for|this|these|the\ zone|the\ level)|
    expect\ (?:a|an|the|price)|look\ for\ (?:a|an)\ (?:long|short|entry|bounce|break\w*)|
    (?:price|it|btc|the\ market)\ will\ (?:reach|hit|touch|bounce|reverse|squeeze|break|fall|rise|sweep)|
    good\ (?:entry|place\ to)|high[- ]probability\ (?:setup|trade|entry)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# At the beginning of a sentence.
COMMAND: Final = re.compile(
    r"""(?:^|[.!?:;]\s+|>\s*)(?:please\s+)?(?:
    short\ (?:the|it|this|into|here)|fade|chase|accumulate|scale\ in|hedge|avoid|cut\ (?:your\ )?loss\w*|
    (?:enter|exit|open|close|add\ to|reduce|hold)\ (?:a\ |an\ |the\ |your\ )?(?:longs?|shorts?|trade|position)s?|
    wait\ for\ (?:a|the)\ (?:sweep|touch|retest|break\w*|zone)|target\ (?:the|this)|move\ (?:your\ )?stop
    )\b(?!\s+(?:above|below|are|is|side|clusters?|near|within|\W))""",
    re.IGNORECASE | re.VERBOSE,
)
# What "guarantee" and the like say about the product, not about the market; and prose about others' mistakes.
ALLOWED: Final = {("docs/articles", "magnet"), ("docs/articles", "magnets")}


# Modules whose strings reach a reader; what programs say to each other is no advice.
SPEAKING: Final = {
    "views", "screens", "exports", "forms", "pages", "picture", "operations", "queries", "mails", "layers", "admin",
}  # fmt: skip


def sources() -> Iterator[Path]:
    yield from (ROOT / "templates").rglob("*.html")
    yield from (ROOT / "templates").rglob("*.txt")
    yield from (ROOT / "static").rglob("*.js")
    yield from (ROOT / "docs" / "articles").glob("*.md")
    for path in python_files(*ROOMS):
        if any(part.removesuffix(".py") in SPEAKING for part in path.relative_to(ROOT).parts[1:]):
            yield path


def advice_in(text: str) -> list[str]:
    return [hit.group().strip(" .:;!?>\n") for rule in (ADVICE, COMMAND) for hit in rule.finditer(text)]


def read(path: Path) -> str:
    """Return what reaches a reader: no docstring does."""
    if path.suffix != ".py":
        return path.read_text() if path.suffix == ".txt" else spoken(path)
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return "\n".join(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_nothing_tells_a_reader_what_to_do_in_the_market() -> None:
    paths = sorted(sources())
    assert {path.suffix for path in paths} >= {".html", ".txt", ".js", ".py"}
    found = {}
    for path in paths:
        name = str(path.relative_to(ROOT))
        hits = [hit for hit in advice_in(read(path)) if (str(Path(name).parent), hit.lower()) not in ALLOWED]
        if hits:
            found[name] = hits
    assert found == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "Buy near 59,000.",
        "This zone is a magnet.",
        "You should wait for a touch.",
        "Watch this level.",
        "Price will reach 61,000.",
        "Nearest zone: close your long.",
        "Fade the move.",
        "Hedge before the weekend.",
        "A high-probability setup.",
        "Enter a long at the edge.",
        "Expect a squeeze.",
    ],
)
def test_the_check_finds_planted_advice(sentence: str) -> None:
    assert advice_in(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Longs below price.",
        "Close the dialog.",
        "Open the terminal",
        "Shorts above, near to far.",
        "Save plan",
        "Estimated shorts near 61,000, 80 % interval $1M to $2M.",
        "The venue would close the position by force.",
        "Short clusters are drawn in blue.",
    ],
)
def test_the_check_lets_facts_and_buttons_be(sentence: str) -> None:
    assert advice_in(sentence) == []


# Numbers that stand in a template: each with what it counts. Formulas are told in symbols and are left out.
_UNSEEN: Final = re.compile(
    r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<code.*?</code>|<pre.*?</pre>|<svg\b.*?</svg>|<dd.*?</dd>",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"(?<![\w.#/&-])(\d[\d,.]*\d|\d)(?![\w])")
_UNITS: Final = (
    r"(?:%|h|d|m|s|ms|min|x|USD|units|days?|hours?|minutes?|seconds?|weeks?|months?|years?|times?|rows?|venues?|"
    r"horizons?|coins?|bins?|columns?|classes|seeds?|worlds?|statements?|chances?|levels?|unread|ATR|R|plans?|swings?|Values)(?!\w)|%|\+"
)
_FORMULAS: Final = {"method.html"}


def bare_numbers(template: str) -> list[str]:
    text = _UNSEEN.sub(" ", template)
    said = " ".join(re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text))
    text = f"{re.sub(r'<[^>]+>', ' ', text)} {said}"
    text = re.sub(r"\{%.*?%\}", " ", re.sub(r"\{\{.*?\}\}", "x", text))
    text = re.sub(r"&#?\w+;", " ", text)
    found = []
    for hit in _NUMBER.finditer(text):
        after = text[hit.end() : hit.end() + 14]
        if not re.match(rf"\s?(?:{_UNITS})|\s(?:and|to|or|of)\s\d", after):
            found.append(" ".join(text[max(0, hit.start() - 24) : hit.end() + 14].split()))
    return found


def test_every_number_in_a_template_has_its_unit() -> None:
    found = {
        str(path.relative_to(ROOT)): bare_numbers(path.read_text())
        for path in (ROOT / "templates").rglob("*.html")
        if path.name not in _FORMULAS
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_the_check_finds_a_planted_number() -> None:
    assert bare_numbers("<p>Within 5 of the price, 80% interval, 24 h.</p>") == ["Within 5 of the price,"]
    assert bare_numbers('<p title="held 12">within 0.1% of price in 3 days</p>') == ["f price in 3 days held 12"]


# An estimate in dollars that a template prints: its interval is printed no farther than this from it [characters].
_ESTIMATE: Final = re.compile(r"\{\{ ?[\w.]*usd_text ?\}\}")
_NEAR: Final = 260


def estimates_without_interval(template: str) -> list[str]:
    return [
        hit.group()
        for hit in _ESTIMATE.finditer(template)
        if "interval" not in template[max(0, hit.start() - _NEAR) : hit.end() + _NEAR]
    ]


def test_every_estimate_stands_beside_its_interval() -> None:
    found = {
        str(path.relative_to(ROOT)): estimates_without_interval(path.read_text())
        for path in (ROOT / "templates").rglob("*.html")
    }
    assert {name: hits for name, hits in found.items() if hits} == {}
    assert estimates_without_interval("<b>{{ row.usd_text }}</b>") == ["{{ row.usd_text }}"]
