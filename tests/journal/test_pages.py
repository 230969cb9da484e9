from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journal.models import Judgement, Plan
from journal.operations import arm_plan
from tests.factories import make_heatmap, make_instrument, make_plan, make_user, make_zone
from tests.journal.terms import NOW, SOON, TERMS, text
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(owner: User, zone: Zone) -> Plan:
    return make_plan(owner=owner, zone=zone, expires_at=SOON)


def test_new_plan_starts_at_the_edge_that_price_meets_first(client: Client, zone: Zone) -> None:
    page = client.get(f"/plans/new/?zone={zone.pk}")
    assert page.status_code == 200
    assert 'name="entry" value="59200.1"' in page.content.decode()
    assert "59,000.0 to 59,200.1" in text(page)
    assert not re.search(r"<input[^>]*name=\"direction\"[^>]*checked", page.content.decode())


def test_new_plan_of_a_short_zone_starts_at_its_lower_edge(client: Client, now: dt.datetime) -> None:
    zone = make_zone(heatmap=make_heatmap(), born_at=now, position_side=-1)
    assert 'name="entry" value="59000"' in client.get(f"/plans/new/?zone={zone.pk}").content.decode()


@pytest.mark.parametrize("zone", ["", "0", "-1", "x", "9" * 18, "9" * 40])
def test_new_plan_needs_a_zone(client: Client, zone: str) -> None:
    assert client.get("/plans/new/", {"zone": zone}).status_code == 404
    assert client.post(f"/plans/new/?zone={zone}", TERMS).status_code == 404


def test_new_plan_is_saved_as_a_draft(client: Client, owner: User, zone: Zone) -> None:
    response = client.post(f"/plans/new/?zone={zone.pk}", TERMS)
    assert (response.status_code, response["Location"]) == (302, "/plans/1/")
    plan = Plan.objects.owned_by(owner.pk).get()
    assert (plan.armed_at, plan.thesis, plan.expires_at) == (None, "It may bounce.", SOON)


def test_new_plan_sent_twice_is_one(client: Client, owner: User, zone: Zone) -> None:
    key = {"request_key": "00000000-0000-0000-0000-000000000007"}
    answers = [client.post(f"/plans/new/?zone={zone.pk}", TERMS | key)["Location"] for _ in range(2)]
    assert answers == ["/plans/1/", "/plans/1/"]
    assert Plan.objects.owned_by(owner.pk).count() == 1


def test_new_plan_takes_nothing_but_its_terms(client: Client, owner: User, zone: Zone) -> None:
    other = make_user(email="other@example.com")
    planted = {
        "owner": other.pk,
        "owner_id": other.pk,
        "number": 99,
        "armed_at": "2020-01-01T00:00",
        "created_at": "2020-01-01T00:00",
        "evidence": "{}",
        "evidence_sha256": "0" * 64,
        "zone_id": 99,
        "id": 99,
    }
    client.post(f"/plans/new/?zone={zone.pk}", TERMS | planted)
    plan = Plan.objects.owned_by(owner.pk).get()
    assert (plan.number, plan.zone_id, plan.armed_at, plan.evidence, plan.evidence_sha256) == (
        1,
        zone.pk,
        None,
        None,
        "",
    )
    assert plan.created_at.year != 2020
    assert Plan.objects.owned_by(other.pk).count() == 0


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"direction": ""}, "direction", "Choose long or short."),
        ({"direction": "up"}, "direction", "Choose long or short."),
        ({"entry": ""}, "entry", "Give a price."),
        ({"entry": "60,5"}, "entry", "Leave out the comma. Write a number with a point, like 60123.5."),
        ({"entry": "NaN"}, "entry", "Write a number with a point, like 60123.5."),
        ({"entry": "1e999999"}, "entry", "Give at most 20 digits, 8 of them decimals."),
        ({"entry": "-1"}, "entry", "Give a price above 0."),
        ({"entry": "0"}, "entry", "Give a price above 0."),
        ({"entry": "1.123456789"}, "entry", "Give at most 8 decimals."),
        (
            {"invalidation": "59300"},
            "invalidation",
            "The invalidation of a long plan lies below its entry. Change one of them.",
        ),
        ({"target": "59000"}, "target", "The target of a long plan lies above its entry. Change one of them."),
        ({"risk_pct": "101"}, "risk_pct", "Give at most 100 percent."),
        ({"risk_pct": "0"}, "risk_pct", "Give at least 0.01 percent."),
        ({"thesis": " "}, "thesis", "Write at least one sentence."),
        ({"thesis": "x" * 4001}, "thesis", "Shorten the text to 4,000 characters."),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at", "The expiry has passed. Choose a later time."),
        ({"expires_at": "2099-01-01T00:00"}, "expires_at", "Choose an expiry within 30 days from now."),
        ({"expires_at": "soon"}, "expires_at", "Write the time as 2026-01-31 14:30."),
    ],
)
def test_wrong_fields_say_what_to_change(
    changes: dict[str, str], field: str, sentence: str, client: Client, zone: Zone
) -> None:
    whole = client.post(f"/plans/new/?zone={zone.pk}", TERMS | changes)
    assert whole.status_code == 422
    assert f'id="id_{field}_error"><li>{sentence}</li>' in whole.content.decode()
    alone = client.post(f"/plans/check/?field={field}", TERMS | changes)
    assert alone.status_code == 422
    assert f'id="id_{field}_error"><li>{sentence}</li>' in alone.content.decode()
    assert client.post(f"/plans/check/?field={field}", TERMS).status_code == 200


def test_check_leaves_other_fields_alone(client: Client) -> None:
    answer = client.post("/plans/check/?field=entry", {"entry": "60000"})
    assert answer.status_code == 200
    assert set(re.findall(r'name="(\w+)"', answer.content.decode())) == {"entry"}


def test_check_compares_with_what_is_there(client: Client) -> None:
    sent = {"direction": "long", "entry": "60000", "invalidation": "60001"}
    assert client.post("/plans/check/?field=invalidation", sent).status_code == 422
    assert client.post("/plans/check/?field=invalidation", sent | {"direction": "short"}).status_code == 200
    assert client.post("/plans/check/?field=invalidation", sent | {"entry": ""}).status_code == 200


@pytest.mark.parametrize("field", ["", "owner", "request_key", "__class__"])
def test_check_knows_the_terms_only(client: Client, field: str) -> None:
    assert client.post("/plans/check/", QUERY_STRING=f"field={field}").status_code == 404


def test_plan_page_shows_what_follows_from_the_terms(client: Client, plan: Plan) -> None:
    page = text(client.get("/plans/1/"))
    assert "Entry 59,200.0 resting order Invalidation 58,600.0 1.01 % away Target 61,000.0 Risk of equity 0.5 %" in page
    assert "Required win-rate 27.1 % gross 25.0 %" in page
    assert "Estimate, not exchange data." in page


def test_armed_plan_page_shows_hash_and_limits(client: Client, plan: Plan) -> None:
    assert client.post("/plans/1/arm/")["Location"] == "/plans/1/"
    page = text(client.get("/plans/1/"))
    stored = Plan.objects.owned_by(plan.owner_id).get()
    assert stored.evidence_sha256 in page
    assert "Armed plans can not be changed, by anyone." in page
    assert "The hash proves the content of the evidence, not the time" in page
    assert "Arm the plan" not in page


def test_download_has_the_hash_of_the_page(client: Client, plan: Plan) -> None:
    assert client.get("/plans/1/evidence.json").status_code == 404
    client.post("/plans/1/arm/")
    download = client.get("/plans/1/evidence.json")
    stored = Plan.objects.owned_by(plan.owner_id).get()
    assert hashlib.sha256(download.content).hexdigest() == stored.evidence_sha256
    assert download["Content-Type"] == "application/json"


def test_arm_says_why_not(client: Client, plan: Plan) -> None:
    Plan.objects.owned_by(plan.owner_id).update(expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    refused = client.post("/plans/1/arm/")
    assert refused.status_code == 422
    assert "The expiry has passed. Choose a later time." in text(refused)


def test_edit_changes_a_draft(client: Client, plan: Plan) -> None:
    assert 'value="58600"' in client.get("/plans/1/edit/").content.decode()
    assert client.post("/plans/1/edit/", TERMS | {"target": "62000"})["Location"] == "/plans/1/"
    assert Plan.objects.owned_by(plan.owner_id).get().targets == [["62000", "1"]]


def test_edit_of_an_armed_plan_leads_back(client: Client, plan: Plan) -> None:
    arm_plan(owner_id=plan.owner_id, number=1, now=NOW)
    for answer in (client.get("/plans/1/edit/"), client.post("/plans/1/edit/", TERMS | {"target": "62000"})):
        assert answer["Location"] == "/plans/1/"
    assert "P-1 is armed and can not be changed." in text(client.get("/plans/1/"))
    assert Plan.objects.owned_by(plan.owner_id).get().targets == [["61000", "1"]]


def test_thesis_is_text_and_nothing_else(client: Client, owner: User, zone: Zone) -> None:
    thesis = "<script>alert(1)</script> ](javascript:x) <img src=//evil.example>\n\n{{ settings }}"
    make_plan(owner=owner, zone=zone, expires_at=SOON, thesis=thesis)
    for path in ("/plans/1/", "/plans/1/edit/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_list_shows_own_plans_only(client: Client, plan: Plan, zone: Zone) -> None:
    other = make_user(email="other@example.com")
    make_plan(owner=other, zone=zone, expires_at=SOON, number=77, thesis="canary")
    page = client.get("/plans/").content.decode()
    assert re.findall(r"P-\d+", page) == ["P-1"]


def test_list_asks_as_much_for_three_as_for_one(client: Client, owner: User, zone: Zone) -> None:
    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get("/plans/")
        return len(asked)

    make_plan(owner=owner, zone=zone, expires_at=SOON)
    once = questions()
    eth = make_heatmap(instrument=make_instrument(symbol="ETHUSDT"))
    for number in (2, 3):
        make_plan(owner=owner, zone=make_zone(heatmap=eth, born_at=SOON, number=number), number=number, expires_at=SOON)
    assert questions() == once


def test_list_pages(client: Client, owner: User, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journal.queries.PAGE", 2)
    for number in range(1, 6):
        make_plan(owner=owner, zone=zone, expires_at=SOON, number=number)
    first = client.get("/plans/").content.decode()
    assert re.findall(r">(P-\d)<", first) == ["P-5", "P-4"]
    assert 'href="?before=4"' in first
    last = client.get("/plans/?before=2").content.decode()
    assert re.findall(r">(P-\d)<", last) == ["P-1"]
    assert "?before=" not in last


def test_list_of_a_zone_holds_its_plans_alone(client: Client, plan: Plan, zone: Zone) -> None:
    other = make_zone(heatmap=zone.heatmap, born_at=SOON, number=9)
    make_plan(owner=plan.owner, zone=other, expires_at=SOON, number=2)
    for headers in ({}, {"HX-Request": "true"}):
        page = client.get(f"/plans/?zone={other.pk}", headers=headers).content.decode()
        assert re.findall(r">(P-\d+)<", page) == ["P-2"]
        assert ("<html" in page) != bool(headers)
    assert "You have no plan from this zone" in client.get("/plans/?zone=7", headers=headers).content.decode()


def badges(client: Client, path: str) -> list[str]:
    return re.findall(r'class="badge[^"]*">([^<]+)<', client.get(path).content.decode())


def test_plans_are_listed_and_marked_by_where_they_stand(client: Client, plan: Plan, zone: Zone) -> None:
    def listed(state: str) -> list[str]:
        return re.findall(r">(P-\d+)<", client.get("/plans/", {"state": state}).content.decode())

    make_plan(owner=plan.owner, zone=zone, expires_at=SOON, number=2)
    assert (listed(""), listed("draft"), listed("waiting")) == (["P-2", "P-1"], ["P-2", "P-1"], [])
    arm_plan(owner_id=plan.owner_id, number=1, now=NOW)
    assert (listed("draft"), listed("waiting"), badges(client, "/plans/1/")) == (["P-2"], ["P-1"], ["waiting"])
    Judgement.objects.owned_by(plan.owner_id).update(phase="closed", is_done=True, result_low=1, result_high=1)
    assert (listed("closed"), listed("waiting"), badges(client, "/plans/1/")) == (["P-1"], [], ["closed"])
    assert badges(client, "/plans/?state=closed") == ["closed"]
    assert "No plan is in this state" in text(client.get("/plans/?state=open"))
    assert client.get("/plans/?state=won").status_code == 404


@pytest.mark.parametrize("name", ["before", "zone"])
@pytest.mark.parametrize("text", ["x", "-1", "9" * 20, "1e3"])
def test_list_refuses_a_strange_page(client: Client, name: str, text: str) -> None:
    assert client.get("/plans/", {name: text}).status_code == 404


ADDRESSES = ["/plans/{}/", "/plans/{}/edit/", "/plans/{}/arm/", "/plans/{}/evidence.json", "/api/v1/plans/{}/"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("is_armed", [False, True])
def test_anothers_plan_is_as_absent_as_none(address: str, method: str, is_armed: bool, plan: Plan) -> None:
    if is_armed:
        arm_plan(owner_id=plan.owner_id, number=1, now=NOW)
    outsider = client_of(make_user(email="outsider@example.com", is_staff=True))
    foreign, absent, beyond = (getattr(outsider, method)(address.format(n)) for n in (1, 2, 10**30))
    assert foreign.status_code in {404, 405} if method != "options" else foreign.status_code in {200, 404, 405}
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
    assert (beyond.status_code, beyond.content) == (absent.status_code, absent.content)
    ignored = {"Set-Cookie"}
    assert {k: v for k, v in foreign.items() if k not in ignored} == {
        k: v for k, v in absent.items() if k not in ignored
    }
    assert Plan.objects.owned_by(plan.owner_id).get().targets == [["61000", "1"]]
