"""The API that writes: each thing that the pages do, refusals by field, and keys that make a request count once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client

from access.operations import create_api_key
from journal import operations, queries
from journal.models import Judgement, Plan, SentAnswer
from journal.operations.answering import KEPT
from tests.factories import make_plan, make_user
from tests.journal.terms import SOON
from tests.journal.test_results import closed
from tests.journal.test_walls import as_web
from tests.journal.undoing import await_room
from tests.pages import client_of
from tests.web.published import API, check_against_schema, client_with_key

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
TERMS: dict[str, Any] = {
    "direction": "long",
    "entry": "59200",
    "invalidation": "58600",
    "targets": [["60400", "0.5"], ["61000", "0.5"]],
    "risk_pct": 0.5,
    "thesis": "It may bounce.",
    "setups": ["  Retest ", "retest"],
    "confirmation": {"rule": "manual"},
    "expires_at": SOON.isoformat(),
}
FILL = {"instrument": "binance:BTCUSDT", "side": 1, "price": "60000", "quantity": "0.02", "fee": "0.5"}
FILL |= {"at": "2026-05-04T10:00:00Z"}
SHARES = "Give each target a share above 0 %; the shares make 100 % together."
PRICES = ("entry", "invalidation", "targets", "risk_pct")
SAID = {"what_happened": "It went.", "lesson": "Wait.", "mistakes": ["Hurried", "hurried"]}


@pytest.fixture
def client(owner: User) -> Client:
    return client_with_key(owner)


def send(
    client: Client, path: str, body: object = None, *, method: str = "post", key: str | None = None
) -> TestResponse:
    headers = {"Idempotency-Key": key} if key is not None else {}
    sent = {} if body is None else {"data": body, "content_type": "application/json"}
    answer: TestResponse = getattr(client, method)(API + path, headers=headers, **sent)
    if answer.status_code < 300 and answer.content:
        check_against_schema(API + path, answer.json(), method=method, status=answer.status_code)
    return answer


def test_a_plan_from_draft_to_cancellation(client: Client, owner: User, zone: Zone) -> None:
    made = send(client, "/plans/", TERMS | {"zone": zone.pk})
    assert made.status_code == 201
    told = made.json()
    assert (told["label"], told["setups"], told["confirmation"]) == (
        "P-1",
        ["retest"],
        {"rule": "manual", "candle_s": 300},
    )
    assert (told["targets"], told["armed_at"], told["verdict"]) == ([["60400", "0.5"], ["61000", "0.5"]], None, None)
    changed = send(client, "/plans/1/", TERMS | {"thesis": "Otherwise."}, method="put")
    assert (changed.status_code, changed.json()["thesis"]) == (200, "Otherwise.")
    await_room()
    assert send(client, "/plans/1/arm/").json()["verdict"]["phase"] == "armed"
    assert send(client, "/plans/1/undo/").json()["armed_at"] is None
    assert send(client, "/plans/1/arm/").json()["is_intact"] is True
    assert send(client, "/plans/1/", TERMS, method="put").status_code == 409
    for body in ({"kind": "stop", "price": "58000"}, {"kind": "confirmed"}, {"kind": "cancelled", "note": "News."}):
        assert send(client, "/plans/1/entries/", body).status_code == 201
    entries = client.get(f"{API}/plans/1/entries/").json()["results"]
    assert [one["kind"] for one in entries] == ["armed", "undone", "armed", "stop", "confirmed", "cancelled"]
    assert (entries[3]["content"]["is_risk_increasing"], entries[5]["note"]) == (True, "News.")
    assert client.get(f"{API}/plans/1/events/").json() == {"results": []}
    assert client.get(f"{API}/plans/1/events/1/").status_code == 404
    assert queries.verify_chain(owner_id=owner.pk) == (6, [])


def test_undoing_is_refused_once_the_minute_is_over(
    client: Client, owner: User, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    send(client, "/plans/1/arm/")
    monkeypatch.setattr("journal.operations.arming.closes_at", lambda armed_at: armed_at)
    refused = send(client, "/plans/1/undo/")
    assert (refused.status_code, refused.json()) == (
        409, {"detail": "The minute in which the plan was armed is over. It stays armed."},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"entry": None}, {"entry": ["Give a price."]}),
        ({"targets": [["60400", "0.4"]]}, {"targets": [SHARES]}),
        ({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": ["The expiry has passed. Choose a later time."]}),
        ({"zone": 10**12}, {"zone": ["No zone has this number."]}),
        ({"armed_at": "2020-01-01T00:00:00Z"}, {"armed_at": ["This can not be sent here: leave it out."]}),
        ({"setups": ["a,b"]}, {"setups": ["Give at most 8 tags of up to 30 characters each."]}),
        ({"entry": "NaN"}, {"entry": ["A valid number is required."]}),
        ({"confirmation": {"rule": "reclaim"}}, {"confirmation": ["Give the price that the rule is about."]}),
        ({"direction": "observe"}, {key: ["A plan to observe has no prices and no risk."] for key in PRICES}),
        ({"more_zones": [10**12]}, {"more_zones": ["Choose up to 5 further zones of the same map."]}),
    ],
)
def test_a_draft_is_refused_by_field(
    change: dict[str, Any], problems: dict[str, list[str]], client: Client, zone: Zone
) -> None:
    refused = send(client, "/plans/", TERMS | {"zone": zone.pk} | change)
    assert (refused.status_code, refused.json()) == (400, problems)
    assert Plan._base_manager.count() == 0


@pytest.mark.parametrize(
    "body", [[], "x", 3, {"kind": []}, {"kind": "armed"}, {"kind": "stop"}, {"kind": "noted", "note": "\x00"}]
)
def test_broken_bodies_are_no_errors(body: object, client: Client, owner: User, zone: Zone) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    send(client, "/plans/1/arm/")
    paths = ("/plans/", "/plans/1/entries/", "/fills/", "/reviews/", "/reviews/1/remarks/")
    assert [send(client, path, body).status_code for path in paths] == [400] * 5


def test_fills_make_trades_that_belong_to_plans(client: Client, owner: User, zone: Zone) -> None:
    first = send(client, "/fills/", FILL)
    assert first.status_code == 201
    assert (
        send(client, "/fills/", FILL | {"side": -1, "price": "60300", "at": "2026-05-04T11:00:00Z"}).status_code == 201
    )
    (trade,) = client.get(f"{API}/trades/").json()["results"]
    assert (trade["result"], trade["plan"], trade["matched"]) == ("5.000000000000000000", None, "")
    refused = send(client, f"/trades/{trade['id']}/", {"plan": 7}, method="put")
    assert (refused.status_code, list(refused.json())) == (400, ["plan"])
    none = send(client, f"/trades/{trade['id']}/", {"plan": None}, method="put")
    assert (none.status_code, none.json()["matched"]) == (200, "none")
    review = send(client, "/reviews/", SAID | {"trade": trade["id"]})
    assert (review.status_code, review.json()["mistakes"], review.json()["plan"]) == (201, ["hurried"], None)
    fill = f"/fills/{first.json()['id']}/"
    assert client.get(API + fill).json() == first.json()
    assert send(client, fill, method="delete").status_code == 409
    later = send(client, "/fills/", FILL | {"at": "2026-05-05T10:00:00Z"}).json()
    assert send(client, f"/fills/{later['id']}/", method="delete").status_code == 204
    assert len(client.get(f"{API}/fills/").json()["results"]) == 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"instrument": "binance:NONE"}, "instrument"),
        ({"at": "2100-01-01T00:00:00Z"}, "non_field_errors"),
        ({"side": 2}, "side"),
        ({"quantity": 0}, "quantity"),
    ],
)
@pytest.mark.usefixtures("zone")
def test_a_fill_is_refused_by_field(change: dict[str, Any], name: str, client: Client) -> None:
    refused = send(client, "/fills/", FILL | change)
    assert (refused.status_code, list(refused.json())) == (400, [name])


def test_a_review_is_written_once_and_remarks_are_added(client: Client, owner: User, zone: Zone) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    send(client, "/plans/1/arm/")
    assert send(client, "/reviews/", SAID | {"plan": 1}).status_code == 409
    Judgement.objects.owned_by(owner.pk).update(is_done=True, phase="closed", result_low=-1, result_high=-1)
    made = send(client, "/reviews/", SAID | {"plan": 1})
    assert (made.status_code, made.json()["plan"], made.json()["seen"]["phase"]) == (201, 1, "closed")
    assert send(client, "/reviews/", SAID | {"plan": 1}).status_code == 409
    assert send(client, "/reviews/", SAID | {"plan": 2}).json() == {"plan": ["There is no such plan of yours."]}
    assert send(client, "/reviews/", SAID | {"plan": 1, "trade": 1}).status_code == 400
    path = f"/reviews/{made.json()['id']}/"
    remarked = send(client, f"{path}remarks/", {"text": "Later."})
    assert (remarked.status_code, remarked.json()["remarks"][0][1]) == (201, "Later.")
    assert client.get(API + path).json() == remarked.json()
    assert [one["id"] for one in client.get(f"{API}/reviews/").json()["results"]] == [made.json()["id"]]


@pytest.mark.parametrize(("count", "is_said"), [(9, False), (10, True)])
def test_figures_stay_behind_their_gates(count: int, is_said: bool, client: Client, owner: User, zone: Zone) -> None:
    closed(owner, zone, [(1.0 - 2 * (place % 2), 1.0) for place in range(count)], "retest")
    closed(owner, zone, [(1.0, 1.0)] * 3, "other", first=count + 1)
    Judgement.objects.owned_by(owner.pk).filter(plan__number__gt=count).update(phase="missed")
    told = client.get(f"{API}/results/").json()
    check_against_schema(f"{API}/results/", told)
    whole = told["whole"]
    assert (whole["count"], whole["mean"] is not None, whole["hits"] is not None) == (count, is_said, is_said)
    figures = [told[name] for name in ("best_mean", "ambiguous", "median", "factor", "drawdown", "more_needed")]
    assert {figure is not None for figure in figures} == {is_said}


WRITES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("post", "/plans/", TERMS),
    ("put", "/plans/1/", TERMS),
    ("post", "/plans/1/arm/", None),
    ("post", "/plans/1/undo/", None),
    ("post", "/plans/1/entries/", {"kind": "noted", "note": "x"}),
    ("post", "/fills/", FILL),
    ("delete", "/fills/{fill}/", None),
    ("put", "/trades/{trade}/", {"plan": None}),
    ("post", "/reviews/", SAID),
    ("post", "/reviews/{review}/remarks/", {"text": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_writing_needs_the_owner_and_a_key_for_plans(
    method: str, path: str, body: dict[str, Any] | None, owner: User, zone: Zone
) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON)
    client = client_of(owner)
    first = send(client, "/fills/", FILL).json()
    send(client, "/fills/", FILL | {"side": -1, "at": "2026-05-04T11:00:00Z"})
    trade = client.get(f"{API}/trades/").json()["results"][0]
    review = send(client, "/reviews/", SAID | {"trade": trade["id"]}).json()
    path = path.format(fill=first["id"], trade=trade["id"], review=review["id"])
    before = queries.export_journal(owner_id=owner.pk)
    _, secret = create_api_key(user=owner, name="data", scopes=["data"])
    other = client_with_key(make_user(email="other@example.com"))
    assert send(Client(headers={"Authorization": f"Bearer {secret}"}), path, body, method=method).status_code == 403
    assert send(Client(), path, body, method=method).status_code == 401
    named = {"trade": trade["id"]} if path == "/reviews/" else {"zone": zone.pk} if path == "/plans/" else {}
    answer = send(other, path, body and body | named, method=method)
    theirs = {"/plans/": 201, "/fills/": 201, "/reviews/": 400}
    assert answer.status_code == theirs.get(path, 404)
    assert queries.export_journal(owner_id=owner.pk) == before


def drafts() -> int:
    return Plan._base_manager.count()


def test_a_key_makes_a_request_count_once(client: Client, owner: User, zone: Zone) -> None:
    body = TERMS | {"zone": zone.pk}
    first = send(client, "/plans/", body, key="a-1")
    again = send(client, "/plans/", body, key="a-1")
    assert (first.status_code, first.json(), drafts()) == (again.status_code, again.json(), 1)
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    other = send(client, "/plans/", body | {"thesis": "Otherwise."}, key="a-1")
    assert (other.status_code, other.json()) == (
        422, {"detail": "This key was sent with another request. Take a new key for each request."},
    )  # fmt: skip
    assert send(client, "/plans/1/arm/", key="a-1").status_code == 422
    assert send(client, "/plans/", body, key="a-2").json()["number"] == 2
    somebody = client_with_key(make_user(email="other@example.com"))
    assert send(somebody, "/plans/", body, key="a-1").json()["number"] == 1


def test_a_refused_request_leaves_no_key_behind(client: Client, zone: Zone) -> None:
    assert send(client, "/plans/", TERMS, key="b").status_code == 400
    assert SentAnswer._base_manager.count() == 0
    assert send(client, "/plans/", TERMS | {"zone": zone.pk}, key="b").status_code == 201


def test_an_answer_is_forgotten_after_a_day(client: Client, zone: Zone) -> None:
    send(client, "/plans/", TERMS | {"zone": zone.pk}, key="c")
    SentAnswer._base_manager.update(sent_at=dt.datetime.now(dt.UTC) - KEPT - dt.timedelta(seconds=1))
    assert send(client, "/plans/", TERMS | {"zone": zone.pk}, key="c").json()["number"] == 2
    assert SentAnswer._base_manager.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ü"])
def test_a_key_that_is_none_is_refused(key: str, client: Client, zone: Zone) -> None:
    refused = send(client, "/plans/", TERMS | {"zone": zone.pk}, key=key)
    assert (refused.status_code, list(refused.json())) == (400, ["Idempotency-Key"])


def test_an_empty_answer_is_kept_too(client: Client, zone: Zone) -> None:
    made = send(client, "/fills/", FILL).json()
    answers = [send(client, f"/fills/{made['id']}/", method="delete", key="d") for _ in range(2)]
    assert [(one.status_code, one.content) for one in answers] == [(204, b"")] * 2


def test_the_web_role_writes_by_the_api(owner: User, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(owner)
    await_room()
    with as_web(monkeypatch):
        for _ in range(2):
            assert send(client, "/plans/", TERMS | {"zone": zone.pk}, key="e").status_code == 201
        assert send(client, "/plans/1/arm/", key="f").status_code == 200
        assert send(client, "/fills/", FILL, key="g").status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journal_sentanswer")
        assert cursor.fetchone() == (3,)
    assert operations.undo_arming(owner_id=owner.pk, number=1).armed_at is None
