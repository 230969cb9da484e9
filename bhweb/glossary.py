"""The glossary of ``docs`` as a page has it: plain words, no markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parent.parent / "docs" / "GLOSSARY.md"
_ROW: Final = re.compile(r"^\| (.+?) \| (.+) \|$")
_MARKUP: Final = re.compile(r"\*\*|`|(?<!\w)\*|\*(?!\w)")


@dataclass(frozen=True, slots=True)
class Section:
    """Words that belong together, in the order of the file."""

    title: str
    words: tuple[tuple[str, str], ...]


@cache
def sections() -> tuple[Section, ...]:
    """Read the file once: a heading of the second order begins a section, a line of a table is a word."""
    found = []
    for part in FILE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = part.splitlines()
        rows = [match.groups() for line in lines if (match := _ROW.match(line))]
        words = tuple((_plain(word), _plain(meaning)) for word, meaning in rows if word != "word")
        found.append(Section(title, words))
    return tuple(found)


def _plain(text: str) -> str:
    return _MARKUP.sub("", text)
