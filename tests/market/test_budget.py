from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from market.models import VenueLimit, VenueState
from market.operations.budget import BACKFILL_SHARE, SharedGate
from market.queries.venues import spent_at, venue_health
from market.sources.base import Budget, SourceError

pytestmark = pytest.mark.django_db
BUDGET = Budget(weight=100, window_s=10)  # a capacity of 50 that leaks 5 a second


class Waited(Exception):  # noqa: N818 a test's way out
    """The gate asked to sleep."""


def refuse_to_sleep(seconds: float) -> None:
    raise Waited(seconds)


@pytest.fixture
def gate() -> SharedGate:
    return SharedGate("binance", BUDGET, sleep=refuse_to_sleep)


def state() -> VenueState:
    return VenueState.objects.get(venue="binance")


def seconds_from_now(moment: dt.datetime | None) -> float:
    assert moment is not None
    return (moment - timezone.now()).total_seconds()


def set_state(**values: dt.datetime | int) -> None:
    VenueState.objects.update_or_create(venue="binance", defaults=values)


def test_gate_lets_half_of_the_published_weight_through(gate: SharedGate) -> None:
    for _ in range(5):
        gate.ask(10)
    with pytest.raises(Waited) as caught:
        gate.ask(10)
    # Nothing but the leak of some milliseconds lies between.
    assert caught.value.args[0] == pytest.approx(2.0, abs=0.5)
    assert state().spent == pytest.approx(50, abs=2)


def test_gate_leaks_at_half_of_the_published_rate(gate: SharedGate) -> None:
    gate.ask(50)
    set_state(window_at=timezone.now() - dt.timedelta(seconds=4))
    gate.ask(20)
    with pytest.raises(Waited):
        gate.ask(10)


def test_what_is_spent_leaks_and_does_not_grow_where_the_clock_is_behind(gate: SharedGate) -> None:
    now = timezone.now()
    gate.ask(40)
    set_state(spent=40, window_at=now)
    told = [
        spent_at(slug="binance", health=venue_health(now=at)["binance"], now=at)
        for at in (now, now + dt.timedelta(seconds=1), now - dt.timedelta(days=360))
    ]
    published = told[0].allowed if told[0] else 0.0
    assert [one.weight for one in told if one] == pytest.approx([40, 40 - published / 60, 40])


def test_gate_leaves_head_room_for_what_is_live(gate: SharedGate) -> None:
    patient = SharedGate("binance", BUDGET, share=BACKFILL_SHARE, sleep=refuse_to_sleep)
    patient.ask(25)
    with pytest.raises(Waited):
        patient.ask(5)
    gate.ask(20)


def test_gate_raises_where_waiting_would_take_too_long() -> None:
    gate = SharedGate("binance", BUDGET, patience_s=1.0, sleep=refuse_to_sleep)
    gate.ask(50)
    with pytest.raises(SourceError, match="budget is spent") as caught:
        gate.ask(40)
    assert caught.value.retry_after_s == pytest.approx(8, abs=0.5)


def test_gate_takes_a_request_that_is_dearer_than_the_budget(gate: SharedGate) -> None:
    gate.ask(1_000)
    assert state().spent == 50


def test_gate_believes_the_venue_about_what_is_spent(gate: SharedGate) -> None:
    gate.ask(1)
    gate.told(status=200, retry_after_s=None, used=49)
    with pytest.raises(Waited):
        gate.ask(10)


@pytest.mark.parametrize(
    ("status", "asked", "wait"), [(418, 600.0, 600), (418, None, 120), (429, 7.0, 7), (429, None, 60)]
)
def test_gate_asks_nothing_before_the_wait_ends(gate: SharedGate, status: int, asked: float | None, wait: int) -> None:
    gate.ask(1)
    gate.told(status=status, retry_after_s=asked, used=None)
    other = SharedGate("binance", BUDGET, share=BACKFILL_SHARE)
    for one in (gate, other):
        with pytest.raises(SourceError) as caught:
            one.ask(1)
        assert caught.value.retry_after_s == pytest.approx(wait, abs=1)
    assert (state().is_banned, state().refused_count, state().reason) == (status == 418, 1, f"it answered {status}")


def test_gate_does_not_shorten_a_ban(gate: SharedGate) -> None:
    gate.ask(1)
    gate.told(status=418, retry_after_s=600, used=None)
    gate.told(status=0, retry_after_s=None, used=None)
    gate.told(status=429, retry_after_s=1, used=None)
    assert seconds_from_now(state().retry_at) == pytest.approx(600, abs=2)


@pytest.mark.parametrize("status", [0, 403, 500, 503])
def test_gate_pauses_longer_with_each_failure(gate: SharedGate, status: int) -> None:
    gate.ask(1)
    gate.told(status=status, retry_after_s=None, used=None)
    began = state().unreachable_since
    assert 0.3 < seconds_from_now(state().retry_at) <= 1
    set_state(failures=6)
    gate.told(status=status, retry_after_s=None, used=None)
    assert 31 < seconds_from_now(state().retry_at) <= 64
    set_state(failures=40)
    gate.told(status=status, retry_after_s=None, used=None)
    assert 149 < seconds_from_now(state().retry_at) <= 300
    assert (state().unreachable_since, state().failures) == (began, 41)


def test_gate_lets_one_request_find_out_whether_the_venue_is_back(gate: SharedGate) -> None:
    gate.ask(1)
    gate.told(status=0, retry_after_s=None, used=None)
    set_state(retry_at=timezone.now() - dt.timedelta(seconds=1))
    gate.ask(1)
    with pytest.raises(SourceError, match="left alone"):
        gate.ask(1)
    gate.told(status=200, retry_after_s=None, used=None)
    gate.ask(1)
    assert (state().unreachable_since, state().failures, state().retry_at, state().reason) == (None, 0, None, "")


def test_a_limit_apart_takes_nothing_from_the_others() -> None:
    budget = Budget(100, 10, apart={"statistics": Budget(20, 100), "funding": Budget(4, 100)})
    gate = SharedGate("binance", budget, sleep=refuse_to_sleep)
    for _ in range(10):
        gate.ask(1, apart="statistics")
    with pytest.raises(SourceError, match="budget is spent for 10 s") as caught:
        gate.ask(1, apart="statistics")
    assert caught.value.retry_after_s == pytest.approx(10, abs=0.5)
    gate.ask(1, apart="funding")
    assert state().spent == 0
    gate.ask(50)
    gate.told(status=418, retry_after_s=600, used=None)
    with pytest.raises(SourceError, match="has banned us"):
        gate.ask(1, apart="funding")
    spent = VenueLimit.objects.order_by("name").values_list("name", "spent")
    assert [(name, round(weight)) for name, weight in spent] == [("funding", 1), ("statistics", 10)]


def test_a_full_budget_does_not_hold_up_a_limit_apart() -> None:
    gate = SharedGate("binance", Budget(100, 10, apart={"statistics": Budget(20, 100)}), sleep=refuse_to_sleep)
    gate.ask(50)
    gate.told(status=200, retry_after_s=None, used=90)
    gate.ask(1, apart="statistics")
    assert VenueLimit.objects.get().spent == 1


def test_gates_of_venues_are_apart(gate: SharedGate) -> None:
    gate.ask(50)
    gate.told(status=418, retry_after_s=600, used=None)
    SharedGate("okx", BUDGET, sleep=refuse_to_sleep).ask(50)
