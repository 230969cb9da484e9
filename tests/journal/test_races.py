"""Many at once on a real PostgreSQL: exactly one wins. 200 rounds of 16 with BH_CAMPAIGNS=1, a few otherwise."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING, Final

import pytest
from django.db import connection, transaction

from access.operations import erase_account, make_operator_link, use_login_link
from journal import operations, queries
from journal.models import Fill, Judgement, Plan, PlanEvent, Trade
from journal.operations import terms_of
from tests.factories import make_heatmap, make_plan, make_user, make_zone
from tests.journal.test_trades import MAY, binance, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db(transaction=True)
IS_CAMPAIGN: Final = bool(os.environ.get("BH_CAMPAIGNS"))
ROUNDS, AT_ONCE = (200, 16) if IS_CAMPAIGN else (3, 6)


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def owner() -> Iterator[User]:
    user = make_user()
    yield user
    erase_account(user_id=user.pk)  # armed plans refuse the truncation that ends such a test


@pytest.fixture
def zone(now: dt.datetime) -> Zone:
    return make_zone(heatmap=make_heatmap(), born_at=now)


def race(acts: Sequence[Callable[[], str]]) -> Counter[str]:
    """Run all at once, alternating through ``acts``; return how often each answer came, by its word."""
    barrier = Barrier(AT_ONCE)

    def run(act: Callable[[], str]) -> str:
        try:
            barrier.wait(20)
            return act()
        except (operations.ArmedError, operations.SettledError) as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(run, acts[i % len(acts)]) for i in range(AT_ONCE)]
        return Counter(job.result(60) for job in jobs)


def entries(owner: User, plan: Plan) -> list[str]:
    return [entry.kind for entry in queries.list_entries(owner_id=owner.pk, plan_id=plan.pk)]


def test_arming_at_once_is_one_entry(owner: User, zone: Zone, now: dt.datetime) -> None:
    for number in range(1, ROUNDS + 1):
        plan = make_plan(owner=owner, zone=zone, number=number, expires_at=now + dt.timedelta(days=1))
        race([lambda n=number: operations.arm_plan(owner_id=owner.pk, number=n, now=now).evidence_sha256])  # type: ignore[misc]  # mypy cannot type a default of a lambda
        assert entries(owner, plan) == ["armed"]
    assert queries.verify_chain(owner_id=owner.pk) == (ROUNDS, [])


def test_arming_against_editing_locks_what_was_armed(owner: User, zone: Zone, now: dt.datetime) -> None:
    for number in range(1, ROUNDS + 1):
        plan = make_plan(owner=owner, zone=zone, number=number, expires_at=now + dt.timedelta(days=1))
        other = replace(terms_of(plan), thesis="Otherwise.")

        def arm(number: int = number) -> str:
            operations.arm_plan(owner_id=owner.pk, number=number, now=now)
            return "armed"

        def edit(number: int = number, terms: operations.Terms = other) -> str:
            operations.update_draft(owner_id=owner.pk, number=number, terms=terms, now=now)
            return "edited"

        told = race([arm, edit])
        found = queries.get_plan(owner_id=owner.pk, number=number)
        assert entries(owner, plan) == ["armed"]
        assert found.thesis == ("Otherwise." if told["edited"] else "Why not?")
        assert queries.is_intact(plan=found)
    assert queries.verify_chain(owner_id=owner.pk)[1] == []


def test_undoing_against_the_judge_has_one_winner(owner: User, zone: Zone, now: dt.datetime) -> None:
    for number in range(1, ROUNDS + 1):
        plan = make_plan(owner=owner, zone=zone, number=number, expires_at=now + dt.timedelta(days=1))
        armed_at = operations.arm_plan(owner_id=owner.pk, number=number, now=now).armed_at
        assert armed_at is not None

        def undo(number: int = number) -> str:
            return "draft" if operations.undo_arming(owner_id=owner.pk, number=number).armed_at is None else "armed"

        def judge(plan: Plan = plan) -> str:
            with transaction.atomic():  # as the judge does: what is judged is locked, then told
                held = list(
                    Judgement.objects.owned_by(owner.pk)
                    .filter(plan=plan, event_count=0)
                    .select_for_update(of=("self",))
                )
                if held:
                    PlanEvent.objects.append([PlanEvent(plan=plan, number=1, kind="touched", at=now, engine="2")])
                    Judgement.objects.by_key([plan.pk]).update(event_count=1)
            return "judged" if held else "nothing"

        told = race([undo, judge])
        found = queries.get_plan(owner_id=owner.pk, number=number)
        if found.armed_at is None:
            assert (told["judged"], entries(owner, plan)) == (0, ["armed", "undone"])
        else:
            assert (told["judged"] <= 1, told["draft"], entries(owner, plan)) == (True, 0, ["armed"])
    assert queries.verify_chain(owner_id=owner.pk)[1] == []


def test_a_key_sent_at_once_makes_one_draft(owner: User, zone: Zone, now: dt.datetime) -> None:
    terms = terms_of(make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=1)))
    for number in range(2, ROUNDS + 2):

        def send(key: str = f"key {number}") -> str:
            def act() -> tuple[int, int]:
                mine = {"owner_id": owner.pk, "zone_id": zone.pk, "terms": terms, "request_key": None, "now": now}
                return 201, operations.create_draft(**mine).number  # type: ignore[arg-type]  # each is what it says

            kept, is_replayed = operations.answer_once(owner_id=owner.pk, key=key, request=b"x", act=act, now=now)
            return f"{'told' if is_replayed else 'made'} {kept.body}"

        assert race([send]) == {f"made {number}": 1, f"told {number}": AT_ONCE - 1}
    assert [plan.number for plan in queries.list_plans(owner_id=owner.pk, limit=500)] == list(range(ROUNDS + 1, 0, -1))


def test_a_file_taken_in_at_once_comes_in_once(owner: User, now: dt.datetime) -> None:
    for number in range(ROUNDS):
        at = MAY + dt.timedelta(days=number)
        content = binance(line(at, "BUY", "60000", "1", 2 * number), line(at, "SELL", "60300", "1", 2 * number + 1))
        kept = operations.keep_file(owner_id=owner.pk, name="x.csv", content=content, now=now)
        operations.describe(owner_id=owner.pk, file_id=kept.pk, choices=operations.Choices(zone="UTC"))

        def take(pk: int = kept.pk) -> str:
            taken = operations.take_in(owner_id=owner.pk, file_id=pk, now=now)
            return f"{taken.new_count} new, {taken.known_count} known"

        assert race([take]) == {"2 new, 0 known": AT_ONCE}
        assert Fill.objects.owned_by(owner.pk).count() == 2 * (number + 1)
        assert Trade.objects.owned_by(owner.pk).count() == number + 1


def test_a_journal_taken_in_at_once_comes_in_once(owner: User, zone: Zone, now: dt.datetime) -> None:
    make_plan(owner=owner, zone=zone, expires_at=now + dt.timedelta(days=1))
    content = queries.canonical_json(queries.export_journal(owner_id=owner.pk))
    for number in range(ROUNDS):
        other = make_user(email=f"other{number}@example.com")
        kept = operations.keep_journal(owner_id=other.pk, content=content, now=now)

        def take(pk: int = kept.pk, owner_id: int = other.pk) -> str:
            taken = operations.take_in_journal(owner_id=owner_id, journal_id=pk, now=now)
            return f"{taken.counts['drafts']} drafts"

        assert race([take]) == {"1 drafts": AT_ONCE}
        assert Plan.objects.owned_by(other.pk).count() == 1
        erase_account(user_id=other.pk)


def test_a_login_link_used_at_once_lets_one_in(now: dt.datetime) -> None:
    for _ in range(ROUNDS):
        token = make_operator_link(now=now).strip("/").rpartition("/")[2]

        def use(token: str = token) -> str:
            return "in" if use_login_link(token=token, now=now) else "out"

        assert race([use]) == {"in": 1, "out": AT_ONCE - 1}
