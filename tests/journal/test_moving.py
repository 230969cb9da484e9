"""The whole journal leaves as one document or as tables, and comes back into another account."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from access.operations import erase_account
from journal import operations, queries
from journal.imports import FileRefusedError, own
from journal.models import Fill, Judgement, MovedJournal, PlanEvent, Trade
from journal.operations import Amendment, Said
from journal.operations.arriving import weigh
from tests.factories import make_plan, make_user
from tests.journal.terms import NOW, SOON, text
from tests.journal.test_trades import SOLD, take
from tests.journal.undoing import await_room
from tests.pages import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
D = Decimal
MONDAY = NOW.date() - dt.timedelta(days=NOW.weekday())


def test_tables_hold_what_the_document_holds_and_no_formula(owner: User, zone: Zone, client: Client) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON, thesis="=cmd()|' /C calc'!A0")
    operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    take(owner, SOLD, NOW)
    document = queries.export_journal(owner_id=owner.pk)
    archive = zipfile.ZipFile(io.BytesIO(client.get(reverse("journal:export-tables")).content))
    tables = {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
        for name in archive.namelist()
    }
    assert {name: len(rows) for name, rows in tables.items()} == {name: len(document[name]) for name in tables}
    assert set(document) - {"schema", "imported"} == set(tables)
    (plan,) = tables["plans"]
    assert (plan["thesis"], plan["entry"], plan["expires_at"]) == (
        "'=cmd()|' /C calc'!A0", "59200", SOON.isoformat().replace("+00:00", "Z"),
    )  # fmt: skip
    assert tables["fills"][0]["at"] == "2026-05-04T10:00:00Z"
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []


@pytest.fixture
def other() -> User:
    return make_user(email="other@example.com")


def lived_in(owner: User, zone: Zone) -> bytes:
    """A journal with one of everything: drafts, a reviewed plan with its trade, trades without a plan, chains."""
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    await_room()
    operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    operations.undo_arming(owner_id=owner.pk, number=1)
    plan = operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    operations.amend_plan(owner_id=owner.pk, number=1, amendment=Amendment("noted", note="Mind “it”."), now=NOW)
    PlanEvent.objects.append([PlanEvent(plan=plan, number=1, kind="triggered", at=NOW, price=D(59200), engine="2")])
    Judgement.objects.owned_by(owner.pk).update(is_done=True, phase="closed", result_low=-1, result_high=-1)
    operations.review_plan(owner_id=owner.pk, number=1, said=Said("It went.", "Wait."), now=NOW)
    make_plan(owner=owner, zone=zone, expires_at=NOW, number=2, thesis="=left(behind)")
    take(owner, SOLD, NOW)
    first, *rest = queries.list_trades(owner_id=owner.pk)
    Trade.objects.owned_by(owner.pk).filter(pk=first.pk).update(plan=plan, matched="chosen")
    for one in rest:
        operations.choose_plan(owner_id=owner.pk, trade_id=one.pk, number=None)
    summed = {"side": 1, "size": 1, "entry": 2, "exit": 3, "result": D("0.9"), "closed_at": NOW, "key": "sum"}
    venue = {"venue": "bybit", "symbol": "ETHUSDT"}
    Trade.objects.owned_by(owner.pk).create(owner=owner, **venue, **summed)
    trade = Trade.objects.owned_by(owner.pk).get(key="sum")
    review = operations.review_trade(owner_id=owner.pk, trade_id=trade.pk, said=Said("A whim.", "Plan."), now=NOW)
    operations.add_remark(owner_id=owner.pk, review_id=review.pk, text="Still so.", now=NOW)
    for monday, words in ((MONDAY, "Slow."), (MONDAY - dt.timedelta(days=7), "Two “early” ones.")):
        operations.keep_week_note(owner_id=owner.pk, monday=monday, words=words, now=NOW)
    return out(owner)


def out(owner: User) -> bytes:
    return queries.canonical_json(queries.export_journal(owner_id=owner.pk))


def bring_in(owner: User, content: bytes) -> MovedJournal:
    kept = operations.keep_journal(owner_id=owner.pk, content=content, now=NOW)
    return operations.take_in_journal(owner_id=owner.pk, journal_id=kept.pk, now=NOW)


def open_rows(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """What of an export is not locked, free of ids and of the numbers that drafts have in their account."""
    document = json.loads(content)
    drafts = [row | {"number": 0} for row in document["plans"] if row["armed_at_ms"] is None]
    trades = {row["id"]: row["key"] for row in document["trades"]}
    reviews = [row | {"id": 0, "trade": trades[row["trade"]]} for row in document["reviews"] if row["plan"] is None]
    # Which locked plan a trade belongs to goes with that plan.
    bare = [row | {"id": 0, "plan": None, "matched": ""} for row in document["trades"]]
    return {
        "drafts": drafts,
        "fills": [row | {"id": 0} for row in document["fills"]],
        "trades": sorted(bare, key=itemgetter("venue", "key")),
        "reviews": reviews,
        "weeks": document["week_notes"],
    }


def test_a_journal_goes_round_through_two_accounts(owner: User, other: User, zone: Zone) -> None:
    content = lived_in(owner, zone)
    first = bring_in(other, content)
    assert (first.refused, first.counts["plans"], first.counts["entries"]) == ([], 1, 4)
    moved = json.loads(out(other))
    assert moved["imported"] == [own.locked_of(json.loads(content))]
    assert (moved["entries"], [row["number"] for row in moved["plans"]]) == ([], [1])
    assert open_rows(out(other)) == open_rows(content)
    third = make_user(email="third@example.com")
    bring_in(third, out(other))
    assert json.loads(out(third))["imported"] == moved["imported"]
    assert open_rows(out(third)) == open_rows(content)
    assert queries.verify_chain(owner_id=third.pk) == (0, [])


def test_a_second_time_and_the_own_account_change_nothing(owner: User, other: User, zone: Zone) -> None:
    content = lived_in(owner, zone)
    mine = out(owner)
    again = bring_in(owner, content)
    assert ({name for name, count in again.counts.items() if count}, out(owner)) == ({"known"}, mine)
    bring_in(other, content)
    before = out(other)
    assert bring_in(other, content).pk == queries.list_moved(owner_id=other.pk)[0].pk
    bring_in(other, json.dumps(json.loads(content), indent=1).encode())  # the same in other bytes
    assert out(other) == before
    operations.amend_plan(owner_id=owner.pk, number=1, amendment=Amendment("noted", note="More."), now=NOW)
    longer = bring_in(other, out(owner))
    assert [why for _, why in longer.refused] == [
        "An earlier state of this journal is here, and what is locked can not be added to."
    ]


def test_the_pages_show_a_journal_before_it_comes_in(owner: User, other: User, zone: Zone) -> None:
    content, client = lived_in(owner, zone), client_of(other)
    sent = {"file": SimpleUploadedFile("journal.json", content)}
    place = client.post(reverse("journal:moved-journals"), sent)["Location"]
    page = text(client.get(place))
    assert "Not taken in yet." in page
    assert "Its 4 entries hold together" in page
    assert Fill.objects.owned_by(other.pk).count() == 0
    assert client.post(f"{place}take-in/").status_code == 302
    assert client.post(f"{place}take-in/").status_code == 302
    assert "Wait." in text(client.get(place))
    assert "in an imported journal" in text(client.get(reverse("journal:trades")))
    assert "taken in" in text(client.get(reverse("journal:moved-journals")))
    assert client_of(owner).get(place).status_code == 404


def changed(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(content)
    change(document)
    return json.dumps(document).encode()


BROKEN: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d["entries"].pop(1), "Entry 2 of the chain does not hold together: it does not follow"),
    (lambda d: d["entries"][3].update(note="Mind."), "Entry 4 .* its note has another hash"),
    (lambda d: d["entries"][0].update(content="{}"), "Entry 1 .* what it says has another hash"),
    (lambda d: d["entries"][0]["link"].update(at_ms=1), "Entry 1 .* the link has another hash"),
    (lambda d: d["entries"][0]["link"].update(plan=[]), "names no plan"),
    (lambda d: d["entries"][3].pop("salt"), "Entry 4"),
    (lambda d: d["plans"][0].update(entry="59000"), "P-1 is not what its chain says"),
    (lambda d: d["plans"][0].update(armed_at_ms=1), "P-1 is not what its chain says"),
    (lambda d: d["plans"][0].update(number=[1]), "no number"),
    (lambda d: d.update(plans=[]), "The chain says that P-1 is armed"),
    (lambda d: d.pop("fills"), "no list of fills"),
    (lambda d: d.update(trades=[1]), "no list of trades"),
    (lambda d: d.update(imported=[1]), "imported journal in the file"),
    (lambda d: d.update(week_notes={}), "no list of week_notes"),
    (lambda d: d.update(schema="x"), "no export of a journal"),
    (lambda d: d["fills"][0].update(price=0.5), "does not hold such a value"),
    (lambda d: d["fills"][0].update(symbol="a\x00"), "NUL"),
]


def test_a_journal_that_does_not_hold_together_is_refused_whole(owner: User, other: User, zone: Zone) -> None:
    content = lived_in(owner, zone)
    for change, sentence in BROKEN:
        with pytest.raises(FileRefusedError, match=sentence):
            operations.keep_journal(owner_id=other.pk, content=changed(content, change), now=NOW)
    assert MovedJournal.objects.owned_by(other.pk).count() == 0


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1", b"[" * 100_000, b'{"a":NaN}', b'"\\ud800"', b"1" * 5_000])
def test_bytes_that_are_no_export_are_refused(content: bytes) -> None:
    with pytest.raises(FileRefusedError):
        own.read_own(content)


NO_WEEK = "A week has the date of a past Monday, and a note of up to 2000 characters."
OTHER_NOTE = "Another note on this week is kept here."
STRANGE: list[tuple[Callable[[dict[str, Any]], object], str, str]] = [
    (lambda d: d["plans"][1].update(zone=10**9), "draft P-2", "Its zone is not known here."),
    (lambda d: d["plans"][1].update(zone_born_at_ms=1), "draft P-2", "The zone of this number is another one here."),
    (lambda d: d["plans"][1].update(targets=[]), "draft P-2", "Give a price."),
    (lambda d: d["plans"][1].update(direction="up"), "draft P-2", "direction: Value 'up' is not a valid choice."),
    (
        lambda d: d["plans"][1].update(confirmation={"rule": "reclaim", "candle_s": 0, "price": "NaN"}),
        "draft P-2",
        "This is no rule of confirmation.",
    ),
    (lambda d: d["fills"][0].update(price="-1"), "fill 1", "Price and quantity lie above 0, and the side is 1 or -1."),
    (lambda d: d["fills"][0].update(at=10**13), "fill 1", "It lies in the future."),
    (lambda d: d["fills"][0].update(price="NaN"), "fill 1", "price: “NaN” value must be a decimal number."),
    (lambda d: d["fills"][0].pop("side"), "fill 1", "The row is not as an export writes it."),
    (lambda d: d["trades"][-1].update(size={}), "trade 3", "size: “{}” value must be a decimal number."),
    (lambda d: d["reviews"][1].update(trade=0), "review 1", "The row is not as an export writes it."),
    (
        lambda d: d["reviews"][1].update(remarks=[1]),
        "review 1",
        "What was seen or remarked is not as an export writes it.",
    ),
    (lambda d: d["week_notes"][0].update(monday="2026-01-06"), "week note 1", NO_WEEK),
    (lambda d: d["week_notes"][1].update(monday="2033-01-03"), "week note 2", NO_WEEK),
    (lambda d: d["week_notes"][0].update(note="x" * 2001), "week note 1", NO_WEEK),
    (lambda d: d["week_notes"][0].update(monday="soon"), "week note 1", "Invalid isoformat string: 'soon'."),
    (lambda d: d["week_notes"][1].update(monday=d["week_notes"][0]["monday"]), "week note 2", OTHER_NOTE),
]


def test_a_row_that_is_not_believed_is_named_and_the_rest_comes_in(owner: User, other: User, zone: Zone) -> None:
    content = lived_in(owner, zone)
    for change, place, why in STRANGE:
        moved = own.read_own(changed(content, change))
        arrival = weigh(owner_id=other.pk, moved=moved, now=NOW)
        assert (place, why) in arrival.refused
        assert arrival.counts["plans"] == 1
    journal = bring_in(other, changed(content, STRANGE[0][0]))
    assert (journal.counts["plans"], journal.counts["fills"], journal.counts["refused"]) == (1, 4, 1)


def test_notes_on_weeks_come_in_once_and_replace_none(owner: User, other: User, zone: Zone) -> None:
    content = lived_in(owner, zone)
    operations.keep_week_note(owner_id=other.pk, monday=MONDAY, words="My own.", now=NOW)
    journal = bring_in(other, content)
    assert (journal.counts["weeks"], journal.refused) == (1, [("week note 2", OTHER_NOTE)])
    notes = {one["monday"]: one["note"] for one in json.loads(out(other))["week_notes"]}
    assert notes == {
        MONDAY.isoformat(): "My own.",
        (MONDAY - dt.timedelta(days=7)).isoformat(): "Two “early” ones.",
    }
    old = changed(content, lambda document: document.pop("week_notes"))
    assert weigh(owner_id=other.pk, moved=own.read_own(old), now=NOW).weeks == []


def test_nothing_is_half_done(owner: User, other: User, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    content = lived_in(owner, zone)
    kept = operations.keep_journal(owner_id=other.pk, content=content, now=NOW)
    before = out(other)

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("journal.operations.moving._rebuild", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        operations.take_in_journal(owner_id=other.pk, journal_id=kept.pk, now=NOW)
    monkeypatch.undo()
    assert out(other) == before
    assert operations.take_in_journal(owner_id=other.pk, journal_id=kept.pk, now=NOW).taken_at == NOW


def test_an_imported_chain_can_not_be_changed_and_goes_with_its_owner(owner: User, other: User, zone: Zone) -> None:
    journal = bring_in(other, lived_in(owner, zone))
    mine = MovedJournal.objects.owned_by(other.pk)
    for write in (lambda: mine.update(parts=[]), mine.delete):
        with pytest.raises(DatabaseError, match="can not be changed"), transaction.atomic():
            write()
    erase_account(user_id=other.pk)
    assert not MovedJournal._base_manager.filter(pk=journal.pk).exists()
