"""Research: articles without raw HTML or inline style, each with its picture and its place in the feed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from PIL import Image

from bhweb import cards
from bhweb.articles import FOLDER, ArticleError, articles, read, render

if TYPE_CHECKING:
    from pathlib import Path

ATOM = "{http://www.w3.org/2005/Atom}"
FRONT = "---\ntitle: A\nsummary: B\npublished: 2026-01-02\nrelated: []\n---\n"


def test_there_are_articles_on_each_subject() -> None:
    assert set(articles()) >= {
        "what-a-heatmap-shows", "heat-and-structure", "crowding", "context-confirmation-execution",
        "reading-the-scorecard", "how-to-read-the-map",
    }  # fmt: skip
    assert all(one.related and one.minutes for one in articles().values())


@pytest.mark.parametrize("slug", sorted(path.stem for path in FOLDER.glob("*.md")))
def test_article_is_shown_with_what_to_read_on(slug: str) -> None:
    said = Client().get(f"/research/{slug}/").content.decode()
    assert said.count("<h1") == 1
    assert f'<meta property="og:image" content="http://testserver/research/{slug}.png">' in said
    for other in articles()[slug].related:
        assert f'<a href="/research/{other}/">{articles()[other].title}</a>' in said.replace("&#x27;", "'")
    assert re.findall(r"\sstyle=|<script(?![^>]*src)|\son\w+=", said) == []


@pytest.mark.django_db
@pytest.mark.parametrize("slug", sorted(path.stem for path in FOLDER.glob("*.md")))
def test_addresses_in_an_article_lead_somewhere(slug: str) -> None:
    for address in set(re.findall(r'href="(/[^"#]*)', articles()[slug].html)):
        assert (address, Client().get(address).status_code) == (address, 200)


def test_every_article_is_listed_and_fed() -> None:
    said = Client().get("/research/").content.decode()
    response = Client().get("/research/feed.atom")
    feed = ET.fromstring(response.content)
    links = [entry.find(f"{ATOM}link").attrib["href"] for entry in feed.iter(f"{ATOM}entry")]  # type: ignore[union-attr]
    assert links == [f"http://testserver/research/{slug}/" for slug in articles()]
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert [slug for slug in articles() if f'href="/research/{slug}/"' not in said] == []


def test_picture_has_the_size_that_sharing_asks_for() -> None:
    response = Client().get("/research/crowding.png")
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/png", "public, max-age=86400")
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == cards.SIZE
    assert cards.draw(title="word " * 200, line="word " * 200) != response.content


@pytest.mark.parametrize("address", ["/research/nothing/", "/research/nothing.png", "/research/../README/"])
def test_other_addresses_do_not_exist(address: str) -> None:
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>\n"),
        ("![x](https://example.com/x.png)", '<p>!<a href="https://example.com/x.png">x</a></p>\n'),
        ("## A b", '<h2 id="a-b">A b</h2>\n'),
    ],
)
def test_markdown_brings_no_raw_html_and_no_picture(text: str, html: str) -> None:
    assert render(text) == html


def test_cells_are_aligned_by_class() -> None:
    assert render("| a | b |\n|---|--:|\n| 1 | 2 |\n") == (
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Table 1">\n<table class="table">\n<thead>\n'
        '<tr>\n<th scope="col">a</th>\n<th scope="col" class="n">b</th>\n</tr>\n</thead>\n<tbody>\n'
        '<tr>\n<td>1</td>\n<td class="n">2</td>\n</tr>\n</tbody>\n</table>\n</div>\n'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FRONT.replace("title: A\n", ""), "a.md: front matter needs title as str."),
        (FRONT.replace("2026-01-02", "soon"), "a.md: front matter needs published as date."),
        (FRONT.replace("[]", "[b]"), "a.md: related names 'b', which is no other article."),
        (FRONT.replace("[]", "[a]"), "a.md: related names 'a', which is no other article."),
        (FRONT.replace("related", "author: me\nrelated"), "a.md: front matter has author, which nothing reads."),
    ],
)
def test_a_wrong_article_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.md").write_text(text)
    with pytest.raises(ArticleError) as refused:
        read(tmp_path)
    assert str(refused.value) == reason
