"""The articles of ``docs/articles``: Markdown with front matter, read once, written as HTML without raw HTML."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import frontmatter
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.footnote import footnote_plugin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "articles"
_FIELDS: Final = {"title": str, "summary": str, "published": dt.date, "related": list}
# A reader of such prose takes about a minute for so many words.
_WORDS_A_MINUTE: Final = 220
_SCROLL: Final = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table {number}">\n'


class ArticleError(Exception):
    """An article that can not be shown; the text says what to change, and where."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article; ``related`` are slugs of others, in the order in which to read on."""

    slug: str
    title: str
    summary: str
    published: dt.date
    related: tuple[str, ...]
    html: SafeString
    minutes: int

    @property
    def published_at(self) -> dt.datetime:
        """The beginning of its day, as a feed wants it."""
        return dt.datetime.combine(self.published, dt.time(), dt.UTC)


@cache
def articles() -> Mapping[str, Article]:
    """Read the folder once: the newest first, of one day by title."""
    return read(FOLDER)


def read(folder: Path) -> Mapping[str, Article]:
    """Read every article of a folder by slug; raise ArticleError for the first that can not be shown."""
    found = [_read(path) for path in sorted(folder.glob("*.md"))]
    known = {one.slug for one in found}
    for one in found:
        for slug in one.related:
            if slug not in known - {one.slug}:
                raise ArticleError(f"{one.slug}.md: related names {slug!r}, which is no other article.")
    return {one.slug: one for one in sorted(found, key=lambda one: (-one.published.toordinal(), one.title))}


def _read(path: Path) -> Article:
    post = frontmatter.loads(path.read_text(encoding="utf-8"))
    for name, kind in _FIELDS.items():
        if not isinstance(post.get(name), kind):
            raise ArticleError(f"{path.name}: front matter needs {name} as {kind.__name__}.")
    unknown = set(post.keys()) - set(_FIELDS)
    if unknown:
        raise ArticleError(f"{path.name}: front matter has {', '.join(sorted(unknown))}, which nothing reads.")
    fields: dict[str, Any] = dict(post.metadata)
    fields["related"] = tuple(str(slug) for slug in fields["related"])
    words = len(post.content.split())
    return Article(path.stem, html=render(post.content), minutes=max(1, round(words / _WORDS_A_MINUTE)), **fields)


def render(text: str) -> SafeString:
    """Write Markdown as HTML: headings with anchors, tables, footnotes; raw HTML and pictures stay text."""
    # Nothing of the text reaches the page unescaped, whoever wrote it.
    return SafeString(_markdown().render(text))


@cache
def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table").disable("image")
    made.use(anchors_plugin, min_level=2, max_level=3).use(footnote_plugin)
    made.core.ruler.push("classes_for_styles", lambda state: _style_by_class(state.tokens))
    made.add_render_rule("table_open", _open_table)
    made.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return made


def _style_by_class(tokens: Sequence[Token]) -> None:
    """Turn the alignment of cells into classes: the policy of pages allows no inline style."""
    number = 0
    for token in tokens:
        if token.type == "table_open":
            number += 1
            token.meta = {**token.meta, "number": number}
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if "right" in str(token.attrs.pop("style", "")):
            token.attrSet("class", "n")


def _open_table(
    _: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Mapping[str, Any]
) -> str:
    return _SCROLL.format(**tokens[index].meta) + '<table class="table">\n'
