"""The glossary page: every word of docs/GLOSSARY.md, in plain text."""

from __future__ import annotations

from django.test import Client

from bhweb.glossary import FILE, sections


def test_every_line_of_the_file_is_a_word_of_the_page() -> None:
    lines = [line for line in FILE.read_text().splitlines() if line.startswith("| ")]
    assert sum(len(section.words) for section in sections()) == len(lines) - len(sections())
    assert [section.title for section in sections()][:2] == ["The market", "The estimate"]
    said = [text for section in sections() for pair in section.words for text in pair]
    assert [text for text in said if "**" in text or "`" in text] == []


def test_page_shows_them() -> None:
    said = Client().get("/glossary/").content.decode()
    assert "<dt>chance of a touch</dt>" in said
    assert "how often a price of this volatility goes that far within a time" in said
