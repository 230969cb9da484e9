"""Reviews and answers that were kept open are sealed by the migration, and open for their owner as before."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from access.queries import everything_of
from journal import queries
from tests.journal.test_results import closed

if TYPE_CHECKING:
    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


def migrate(name: str) -> MigrationExecutor:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    executor.migrate([("journal", name)])
    return MigrationExecutor(connection)


def test_what_was_written_before_is_sealed(owner: User, zone: Zone) -> None:
    closed(owner, zone, [(2.0, 2.0)], "retest")
    plan = queries.get_plan(owner_id=owner.pk, number=1)
    before = migrate("0023_make_room_for_sealed_words").loader.project_state(
        ("journal", "0023_make_room_for_sealed_words")
    )
    old = before.apps.get_model("journal", "Review")._base_manager.create(
        owner_id=owner.pk, plan_id=plan.pk, what_happened="It held.", lesson="Wait.", mistakes=["hurry"],
        remarks=[["2026-11-28T18:00:00+00:00", "Still."]], reviewed_at=NOW,
    )  # fmt: skip
    before.apps.get_model("journal", "SentAnswer")._base_manager.create(
        owner_id=owner.pk, key_sha256="k" * 64, request_sha256="r" * 64, status=201, body={"lesson": "Wait."}
    )
    migrate("0026_leave_quiet_plans_alone")
    review = queries.get_review_by_id(owner_id=owner.pk, review_id=old.pk)
    words = review.words
    assert (words.what_happened, words.lesson, words.early_interest) == ("It held.", "Wait.", "")
    assert (words.mistakes, words.remarks) == (("hurry",), (("2026-11-28T18:00:00+00:00", "Still."),))
    ((answer),) = everything_of(user=owner)["api-answers"]
    assert answer["body"] == {"lesson": "Wait."}
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'journal_review'")
        assert {name for (name,) in cursor.fetchall()} == {
            "id", "owner_id", "plan_id", "trade_id", "sealed", "seen", "reviewed_at",
        }  # fmt: skip
