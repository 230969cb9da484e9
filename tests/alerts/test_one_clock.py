"""What only the alerts knew of a member's time zone is kept where their other preferences are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from access.models import Preferences
from access.queries import own_time_zone
from tests.factories import make_user

pytestmark = pytest.mark.django_db
BEFORE, AFTER = ("alerts", "0003_tell_of_plans"), ("alerts", "0004_live_by_one_clock")


def test_time_zones_move_and_what_was_chosen_for_all_pages_stays() -> None:
    nobody, chosen, unset = (make_user(email=f"{name}@example.com") for name in ("nobody", "chosen", "unset"))
    Preferences.objects.create(user=chosen, time_zone="Asia/Tokyo")
    Preferences.objects.create(user=unset, theme="dark")
    executor = MigrationExecutor(connection)
    before = executor.migrate([BEFORE]).apps.get_model("alerts", "Preferences")
    for owner in (nobody, chosen, unset):
        before._base_manager.create(owner_id=owner.pk, time_zone="Europe/Berlin")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate([AFTER])
    zones = [own_time_zone(user_id=owner.pk) for owner in (nobody, chosen, unset)]
    assert zones == ["Europe/Berlin", "Asia/Tokyo", "Europe/Berlin"]
    assert Preferences.objects.get(user=unset).theme == "dark"
