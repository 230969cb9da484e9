"""The web server's own role in PostgreSQL: what it may do, and whose private rows it sees for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

# Rows of all tables, and nothing that changes tables; the policies say which private rows.
_GRANT: Final = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bh_web') THEN
        GRANT USAGE ON SCHEMA public TO bh_web;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bh_web;
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO bh_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bh_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO bh_web;
    END IF;
END $$
"""


def grant_web_role() -> None:
    """Let ``bh_web``, where there is such a role, do with rows what the site needs."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANT)


class ForgetOwner:
    """Begin each request without an owner: a connection serves many, and the next one may be another's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Forget the owner that the request before named."""
        if getattr(connection, "bh_owner", None) is not None:
            connection.bh_owner = None  # type: ignore[attr-defined]  # set in access.owning
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('bh.owner', '', false)")
        return self.get_response(request)
