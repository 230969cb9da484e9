"""The web server's own role in PostgreSQL: what it may do, and whose private rows it sees for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import connection

from access.reading import forget_reader

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


# What the machine may do for everybody: judge and tell. It sees neither notes nor the keys that open them.
_GRANT_WORKER: Final = """
DO $$ DECLARE walled record; BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bh_worker') THEN
        GRANT USAGE ON SCHEMA public TO bh_worker;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bh_worker;
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO bh_worker;
        REVOKE ALL ON journal_notekey, journal_weeknote FROM bh_worker;
        FOR walled IN SELECT p.tablename FROM pg_policies p WHERE p.policyname = 'own_rows'
            AND p.tablename NOT IN ('journal_notekey', 'journal_weeknote')
            AND NOT EXISTS (
                SELECT 1 FROM pg_policies o WHERE o.tablename = p.tablename AND o.policyname = 'worker_rows'
            )
        LOOP
            EXECUTE format('CREATE POLICY worker_rows ON %I TO bh_worker USING (true)', walled.tablename);
        END LOOP;
    END IF;
END $$
"""


def grant_worker_role() -> None:
    """Let ``bh_worker``, where there is such a role, work on all rows but notes and their keys."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANT_WORKER)


def grant_web_role() -> None:
    """Let ``bh_web``, where there is such a role, do with rows what the site needs."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANT)


class ForgetOwner:
    """Begin each request without an owner: a connection serves many, and the next one may be another's.

    How its reader has times and numbers written is forgotten at its end.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Forget the owner that the request before named."""
        if getattr(connection, "bh_owner", None) is not None:
            connection.bh_owner = None  # type: ignore[attr-defined]  # set in access.owning
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('bh.owner', '', false)")
        try:
            return self.get_response(request)
        finally:
            forget_reader()
