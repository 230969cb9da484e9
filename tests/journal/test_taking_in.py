"""A large file is taken in beside the request, and its page says how far it is, with and without scripts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from journal import benchmark, operations, queries
from journal.models import Fill, TradeFile
from journal.operations import files, taking
from tests.journal.terms import NOW, text

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User

ROWS = 50


@pytest.fixture
def place(client: Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of 50 rows that counts as a large one, described and waiting."""
    monkeypatch.setattr(taking, "AT_ONCE", 0)
    monkeypatch.setattr(files, "_BATCH", 20)
    sent = SimpleUploadedFile("large.csv", benchmark._file(ROWS))
    found = client.post(reverse("journal:trade-files"), {"file": sent})["Location"]
    client.post(found, {"zone": "UTC"})
    return found


def wait(file: TradeFile) -> None:
    for one in threading.enumerate():
        if one.name == f"take-in-{file.pk}":
            one.join(20)


def only_file(owner: User) -> TradeFile:
    return TradeFile.objects.owned_by(owner.pk).get()


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_taken_in_beside_the_request(owner: User, client: Client, place: str) -> None:
    assert client.post(f"{place}take-in/")["Location"] == place
    wait(only_file(owner))
    assert Fill.objects.owned_by(owner.pk).count() == ROWS
    assert operations.progress_of(file_id=only_file(owner).pk) is None
    shown = client.get(place)
    assert "Taken in" in text(shown)
    assert b"hx-trigger" not in shown.content.partition(b'id="file"')[2]


@pytest.mark.django_db
def test_how_far_it_is_is_told_by_batches(owner: User, place: str) -> None:
    told: list[tuple[int, int]] = []
    file = only_file(owner)
    operations.take_in(owner_id=owner.pk, file_id=file.pk, now=NOW, tell=lambda *said: told.append(said))
    assert (place.endswith(f"/{file.pk}/"), told) == (True, [(0, 50), (20, 50), (40, 50), (50, 50)])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((0, 0, ""), "The file is being read."),
        ((20, 50, ""), "20 of 50 rows are stored."),
        ((50, 50, ""), "50 of 50 rows are stored. Trades are made of them."),
    ],
)
def test_its_page_says_how_far(owner: User, client: Client, place: str, said: tuple[int, int, str], words: str) -> None:
    cache.set(taking._key(only_file(owner).pk), said)
    page = client.get(place)
    assert words in text(page)
    assert f'hx-get="{place}" hx-trigger="every 1s"' in page.content.decode()
    assert f'<a class="btn" href="{place}">Look again</a>' in page.content.decode()
    assert b"take-in/" not in page.content
    assert b"htmx-2.min.js" in page.content


@pytest.mark.django_db
def test_a_second_click_starts_nothing(owner: User, client: Client, place: str) -> None:
    cache.set(taking._key(only_file(owner).pk), (20, 50, ""))
    assert client.post(f"{place}take-in/").status_code == 302
    assert [one.name for one in threading.enumerate() if one.name.startswith("take-in")] == []
    assert not Fill.objects.owned_by(owner.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [files.UnreadableError("Say its time zone."), OSError("gone")])
def test_what_went_wrong_is_said_and_nothing_is_kept(
    owner: User, client: Client, place: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(files, "rebuild", fail)
    client.post(f"{place}take-in/")
    wait(only_file(owner))
    assert not Fill.objects.owned_by(owner.pk).exists()
    page = client.get(place)
    expected = "Say its time zone." if isinstance(error, files.UnreadableError) else "nothing was kept"
    assert expected in text(page)
    assert b"hx-trigger" not in page.content.partition(b'id="file"')[2]


@pytest.mark.django_db
def test_trades_of_an_export_that_begins_with_the_newest_are_listed_newest_first(owner: User, client: Client) -> None:
    header = "Contracts,Closing Direction,Qty,Entry Price,Exit Price,Closed P&L,Trade Time(UTC+0),Order No."
    rows = [f"BTCUSDT,Close Long,1,60000,60{day}00,{day}00,2026-05-{day} 10:00:00,n{day}" for day in (14, 13, 12)]
    sent = SimpleUploadedFile("closed.csv", "\n".join([header, *rows, ""]).encode())
    found = client.post(reverse("journal:trade-files"), {"file": sent})["Location"]
    client.post(f"{found}take-in/")
    trades = queries.list_trades(owner_id=owner.pk)
    assert [one.closed_at.day for one in trades if one.closed_at] == [14, 13, 12]
