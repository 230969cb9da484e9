"""The one rule of private rows: no question without an owner.

Managers ask for an owner and filter by it. Behind them stands a second wall: for the role under which the web server
connects, PostgreSQL itself shows the rows of the owner that was named last and no others (migration 0014).
"""

from __future__ import annotations

from typing import Final

from django.db import connection

WEB_ROLE: Final = "bh_web"


class OwnerScopeError(RuntimeError):
    """Private rows were asked for without saying whose."""


def name_owner(owner_id: int) -> None:
    """Tell the database whose rows the web server may see from now on; other roles see what they are granted."""
    if connection.settings_dict["USER"] == WEB_ROLE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('bh.owner', %s, false)", [str(owner_id)])
        connection.bh_owner = owner_id  # type: ignore[attr-defined]  # bhweb.walls forgets it with the request
