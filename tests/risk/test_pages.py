"""The calculators as pages: state in the address, worked steps, and a sentence for every bad input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from risk.forms import TOOLS
from tests.factories import make_instrument, make_user
from tests.pages import client_of

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db

SIZE = TOOLS["size"].example


def ask(slug: str, given: dict[str, str] | None = None, *, htmx: bool = False) -> HttpResponse:
    headers = {"HX-Request": "true"} if htmx else {}
    return Client().get(f"/tools/{slug}/", given or {}, headers=headers)  # type: ignore[return-value]  # the test client's own class


def words(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_tools_list_links_every_calculator() -> None:
    page = Client().get("/tools/").content.decode()
    assert [f'href="/tools/{slug}/"' in page for slug in TOOLS] == [True] * 7


@pytest.mark.parametrize("slug", list(TOOLS))
def test_tool_opens_with_an_example_and_its_working(slug: str) -> None:
    response = ask(slug)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="headline"' in page
    assert "How it is worked out" in page
    assert "<svg" in page.partition('id="answer"')[2]
    assert "style=" not in page
    assert "<script>" not in page


def test_a_maintenance_rate_is_told_where_it_counts() -> None:
    pages = {slug: Client().get(f"/tools/{slug}/").content.decode() for slug in TOOLS}
    assert {slug for slug, page in pages.items() if "maintenance rate for" in page} == {"size", "liquidation"}


def test_tool_that_does_not_exist_is_missing() -> None:
    assert ask("magic").status_code == 404
    assert Client().post("/tools/size/").status_code == 405


def test_size_shows_the_worked_value() -> None:
    text = words(ask("size", SIZE))
    assert "Size 0.104 base" in text
    assert "99.457124 quote" in text
    assert "1,063" not in text


def test_htmx_gets_the_answer_and_the_places_of_errors_alone() -> None:
    page = ask("size", SIZE, htmx=True).content.decode()
    assert page.lstrip().startswith('<section id="answer"')
    assert "<html" not in page
    assert page.count('hx-swap-oob="true"') == len(TOOLS["size"]().visible_fields())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"stop": "60000"}, "The stop of a long lies below its entry. Change one of them."),
        ({"stop": "60500"}, "The stop of a long lies below its entry. Change one of them."),
        ({"entry": "60,000"}, "Leave out the comma. Write a number with a point, like 60123.5."),
        ({"entry": ""}, "Give a number."),
        ({"entry": "-1"}, "Give a number above 0."),
        ({"entry": "NaN"}, "Write a number with a point, like 60123.5."),
        ({"entry": "9" * 41}, "Give at most 40 digits."),
        ({"side": "up"}, "Choose long or short."),
        ({"risk": "101"}, "Give a number from 0.001 to 100."),
        ({"instrument": "binance:NOTHING"}, "Choose an instrument of the list, or none."),
        ({"account": "1"}, "The smallest tradable size risks 9563.2 % of the budget."),
        ({"leverage": "0.5"}, "Give a number from 1 to 500."),
        ({"entry_fee": "x"}, "Write a number with a point, like 60123.5."),
    ],
)
def test_size_says_what_to_change(changed: dict[str, str], sentence: str) -> None:
    response = ask("size", {**SIZE, **changed})
    assert response.status_code == 422
    assert sentence in words(response)


def test_size_of_an_inverse_contract_counts_contracts() -> None:
    given = {"side": "long", "entry": "60000", "stop": "59100", "account": "0.2", "risk": "1", "contract": "inverse",
             "entry_fee": "0.02", "exit_fee": "0.055", "contract_usd": "1"}  # fmt: skip
    assert "Size 7,506 contracts" in words(ask("size", given))


def test_size_warns_of_a_liquidation_before_the_stop() -> None:
    text = words(ask("size", {**SIZE, "leverage": "100"}))
    assert "The position would be liquidated before the stop. Lower the leverage." in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"side": "long", "entry": "20000", "leverage": "50", "maintenance": "0.5"}, "19,698.492"),
        ({"side": "short", "entry": "20000", "leverage": "50", "maintenance": "0.5"}, "20,298.507"),
        ({"side": "long", "entry": "50000", "leverage": "10", "maintenance": "0.5", "quantity": "60000",
          "contract": "inverse"}, "45,681.818"),
        ({"side": "short", "entry": "50000", "leverage": "1", "maintenance": "0.5", "contract": "inverse"}, "—"),
        ({"side": "long", "entry": "50000", "leverage": "1", "maintenance": "0.5"}, "—"),
    ],
)  # fmt: skip
def test_liquidation_shows_known_values(given: dict[str, str], shown: str) -> None:
    assert f"Estimated liquidation price {shown}" in words(ask("liquidation", given))


def test_liquidation_refuses_a_leverage_without_margin() -> None:
    response = ask("liquidation", {"side": "long", "entry": "100", "leverage": "500", "maintenance": "0.5"})
    assert response.status_code == 422
    assert "At this leverage the margin is below the maintenance margin. Lower the leverage." in words(response)


def test_instrument_brings_its_steps_and_fees_with_their_date() -> None:
    make_instrument(is_live=True)
    text = words(ask("size", {**SIZE, "instrument": "binance:BTCUSDT", "entry_fee": "", "exit_fee": "", "step": ""}))
    assert "standard ones as known on 2025-12-01: maker 0.020 %, taker 0.050 %" in text
    assert "BTC" in text


def test_reward_with_three_targets_gives_three_numbers() -> None:
    given = {**TOOLS["reward"].example, "target_2": "63600"}
    text = words(ask("reward", given))
    assert "All targets reached" in text
    assert "Only the first, then the stop" in text


def test_record_refuses_kelly_from_few_results() -> None:
    text = words(ask("expectancy", {"results": "1 -1 2"}))
    assert "No Kelly fraction from fewer than 30 results" in text
    assert "“a” is no result." in words(ask("expectancy", {"results": "a"}))
    assert "Give at most 2,000 results." in words(ask("expectancy", {"results": "2000×1 1"}))


def test_ruin_is_repeatable_by_its_seed() -> None:
    given = TOOLS["ruin"].example
    first, again = ask("ruin", given), ask("ruin", given)
    assert words(first).partition("Answer")[0] == words(again).partition("Answer")[0]
    assert "by simulation" in words(first)


def test_plan_takes_over_the_terms_of_a_zone() -> None:
    page = client_of(make_user()).get("/tools/size/", {**SIZE, "zone": "7"}).content.decode()
    link = re.search(r'href="(/plans/new/\?[^"]+)"', page)
    assert link is not None
    assert link[1].replace("&amp;", "&") == (
        "/plans/new/?zone=7&direction=long&entry=60000&invalidation=59100&equity=10000&leverage=10&risk_pct=1"
    )


def test_answers_are_the_same_through_the_api() -> None:
    client = client_of(make_user())
    body = client.get("/api/v1/tools/size/", SIZE).json()
    assert body["figures"][0] == {
        "name": "quantity",
        "label": "Size",
        "value": "0.104",
        "text": "0.104 base",
        "note": "",
    }
    wrong = client.get("/api/v1/tools/size/", {**SIZE, "stop": "x"})
    assert wrong.status_code == 400
    assert wrong.json()["stop"] == ["Write a number with a point, like 60123.5."]
    assert client.get("/api/v1/tools/magic/").status_code == 404


def test_part_of_an_address_waits_for_the_rest() -> None:
    response = ask("size", {"zone": "7", "entry": "250", "side": "short"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "Some fields are still empty." in page
    assert 'value="250"' in page
    assert "Give a number." not in page
