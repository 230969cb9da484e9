"""Files that mean it ill, as a member sends them: a clear word on the page, and nothing half done."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from journal.models import Fill
from tests.journal.terms import text
from tests.journal.test_imports import zipped
from tests.journal.test_trades import SOLD

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User

pytestmark = pytest.mark.django_db
TAKEN = "4 new, 0 here before."


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xef\xbb\xbf" + SOLD.replace(b"\n", b"\r\n"), TAKEN),
        (SOLD.replace(b",", b";").replace(b".", b","), TAKEN),
        (zipped(SOLD), TAKEN),
        (zipped(b"\0" * (33 << 20)), "32 MB"),
        (SOLD.replace(b"Fee,", b"Price,", 1), "Two columns are named"),
        (SOLD + b"x" * 30_000, "has 30,000 characters"),
        (SOLD.replace(b"2026-05-04", b"2099-05-04"), "lies in the future: is the time zone right?"),
        (b"Date,Amount,Shop,City\n2026-05-04,5,Corner,Bonn\n", "name its columns"),
        (SOLD.replace(b"60000", b'"=HYPERLINK(1)"', 1), "is not a number"),
    ],
)
def test_hostile_files_are_named_on_the_page_and_nothing_is_half_done(
    content: bytes, word: str, owner: User, client: Client
) -> None:
    page = client.post(reverse("journal:trade-files"), {"file": SimpleUploadedFile("x.csv", content)}, follow=True)
    if page.status_code == 200 and "name its columns" not in word:
        place = page.redirect_chain[-1][0]
        page = client.post(place, {"zone": "UTC"}, follow=True)
        assert Fill.objects.owned_by(owner.pk).count() == 0
    if word == TAKEN:
        page = client.post(f"{place}take-in/", follow=True)
    assert word in html.unescape(text(page))
    assert Fill.objects.owned_by(owner.pk).count() == (4 if word == TAKEN else 0)
