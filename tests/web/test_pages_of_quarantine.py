"""The quarantine page: filters, and decisions that are shown before they are made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from market.models import Coverage, Instrument, Quarantine
from market.operations.quarantine import Doubt, hold
from tests.factories import make_instrument, make_user
from tests.market.states import doubt
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
PAGE = "/data/quarantine/"
DECIDE = "/data/quarantine/decide/"
LEAPS = "?instrument=binance:BTCUSDT&reason=the+price+leaps"


@pytest.fixture
def staff() -> Client:
    return client_of(make_user(email="staff@example.com", is_staff=True))


@pytest.fixture
def instrument() -> Instrument:
    made = make_instrument()
    doubt(made, timezone.now())
    return made


def text_of(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def through(client: Client, query: str) -> int:
    return int(re.findall(r'name="through" value="(\d+)"', client.get(DECIDE + query).content.decode())[0])


def send(client: Client, query: str, decision: str, newest: int) -> list[str]:
    answer = client.post(DECIDE + query, {"decision": decision, "through": newest}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    return [str(message) for message in answer.context["messages"]]


def test_rows_are_shown_as_they_came(staff: Client, instrument: Instrument) -> None:
    said = text_of(staff, PAGE)
    assert "the price leaps binance:BTCUSDT Bars 3 rows" in said
    assert "Can not be released: low is zero or negative" in said
    assert "&lt;html&gt;&lt;head&gt;" in said


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 5),
        ("?state=held", 5),
        ("?state=released", 0),
        ("?state=all", 5),
        ("?series=bars", 4),
        ("?reason=the+price+leaps", 3),
        ("?instrument=binance:BTCUSDT&series=open_interest", 1),
        ("?instrument=binance:ETHUSDT", 0),
    ],
)
def test_filters_choose_rows(query: str, count: int, staff: Client, instrument: Instrument) -> None:
    make_instrument(symbol="ETHUSDT")
    assert len(staff.get(PAGE + query).context["page"].rows) == count


def test_a_filter_for_no_instrument_says_what_to_write(staff: Client) -> None:
    assert "Write venue:symbol" in text_of(staff, f"{PAGE}?instrument=x", 400)


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=0", "?state=none", "?row=99999999999999999999", "?instrument=%00"]
)
def test_strange_filters_are_refused(query: str, staff: Client) -> None:
    assert staff.get(PAGE + query).status_code == 400


def test_older_rows_are_a_page_further(staff: Client, instrument: Instrument) -> None:
    doubts = [Doubt(f"raw {number}", "why") for number in range(60)]
    hold(instrument=instrument, series="bars", origin="a", timeframe=60, doubts=doubts)
    page = staff.get(f"{PAGE}?reason=why").context["page"]
    assert (len(page.rows), page.rows[0].row.raw, page.before) == (50, "raw 59", page.rows[-1].row.pk)
    older = staff.get(f"{PAGE}?reason=why&before={page.before}").context["page"]
    assert ([held.row.raw for held in older.rows[:2]], len(older.rows), older.before) == (["raw 9", "raw 8"], 10, None)


def test_a_group_is_released_after_its_count_was_shown(staff: Client, instrument: Instrument) -> None:
    assert "Decide about 3 rows" in text_of(staff, DECIDE + LEAPS)
    newest = through(staff, LEAPS)
    told = send(staff, LEAPS, "released", newest)
    assert told[0] == "3 rows were released."
    assert told[1].startswith("Maps of binance:BTCUSDT take it in by themselves")
    assert sorted(Quarantine.objects.values_list("state", flat=True)) == ["held"] * 2 + ["released"] * 3
    assert set(Quarantine.objects.exclude(decided_by="").values_list("decided_by", flat=True)) == {"staff@example.com"}
    assert Coverage.objects.filter(instrument=instrument, series="bars").count() == 1
    again = send(staff, LEAPS, "released", newest)
    assert again == ["None of these rows was held any more; nothing was changed."]
    assert "Nothing to decide" in text_of(staff, DECIDE + LEAPS)


def test_what_came_after_the_count_is_not_decided(staff: Client, instrument: Instrument) -> None:
    newest = through(staff, LEAPS)
    hold(instrument=instrument, series="bars", origin="b", timeframe=60, doubts=[Doubt("x", "the price leaps")])
    assert send(staff, LEAPS, "discarded", newest) == ["3 rows were discarded."]
    assert Quarantine.objects.filter(state="held", reason="the price leaps").count() == 1


def test_one_row_that_no_table_can_hold_is_not_offered_for_release(staff: Client, instrument: Instrument) -> None:
    row = Quarantine.objects.get(reason="low is zero or negative")
    body = staff.get(f"{DECIDE}?row={row.pk}").content.decode()
    assert re.findall(r'name="decision" value="(\w+)"', body) == ["discarded"]
    told = send(staff, f"?row={row.pk}", "released", row.pk)
    assert told == ["1 can not be released and stay held: low is zero or negative."]
    assert send(staff, f"?row={row.pk}", "discarded", row.pk) == ["1 row was discarded."]


def test_decided_rows_say_by_whom(staff: Client, instrument: Instrument) -> None:
    send(staff, LEAPS, "discarded", through(staff, LEAPS))
    assert "Discarded staff@example.com" in text_of(staff, f"{PAGE}?state=discarded")


@pytest.mark.parametrize("query", ["", "?state=held", "?instrument=x:Y"])
def test_a_decision_is_about_chosen_rows(query: str, staff: Client, instrument: Instrument) -> None:
    assert staff.get(DECIDE + query).status_code == 400
    assert staff.post(DECIDE + query, {"decision": "discarded", "through": 10**9}).status_code == 400
    assert Quarantine.objects.exclude(state="held").count() == 0


@pytest.mark.parametrize(
    "sent", [{}, {"decision": "kept", "through": 5}, {"decision": "released"}, {"decision": "released", "through": "x"}]
)
def test_a_decision_has_to_be_made(sent: dict[str, str], staff: Client, instrument: Instrument) -> None:
    assert staff.post(DECIDE + LEAPS, sent).status_code == 400
    assert Quarantine.objects.exclude(state="held").count() == 0


def test_page_costs_the_same_for_few_rows_and_for_many(staff: Client, instrument: Instrument) -> None:
    counts = []
    for more in (0, 40):
        for number in range(more):
            other = make_instrument(symbol=f"X{number}USDT")
            hold(instrument=other, series="bars", origin="a", timeframe=60, doubts=[Doubt(f"{number}", "why")])
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(PAGE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5
