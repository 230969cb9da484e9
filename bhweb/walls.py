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


# What the machine may do for everybody: judge and tell. A table with private rows is closed to it unless it is named
# here, and of plans and entries it sees columns that hold no words.
WORKER_MAY: Final = {
    "journal_judgement": "SELECT, UPDATE",
    "journal_planevent": "SELECT, INSERT",
    "journal_plan": "SELECT (id, owner_id, number, zone_id, direction, armed_at, expires_at)",
    "journal_journalentry": "SELECT (id, owner_id, plan_id, kind, at)",
    "alerts_rule": "SELECT, UPDATE",
    "alerts_notice": "SELECT, INSERT, UPDATE",
    "alerts_preferences": "SELECT, INSERT, UPDATE (mailed_at)",
    "alerts_watched": "SELECT",
}
# What opens accounts and keys is not the machine's business either: of people it sees where to write to, and may lock
# their rows, for which PostgreSQL asks that it may write some column; this one decides nothing.
_NOT_FOR_WORKERS: Final = (
    "access_apikey", "access_loginlink", "access_user", "access_user_groups", "access_user_user_permissions",
    "account_emailaddress", "account_emailconfirmation", "auth_group", "auth_group_permissions", "auth_permission",
    "django_admin_log", "django_session", "mfa_authenticator", "usersessions_usersession",
)  # fmt: skip
_PEOPLE: Final = "GRANT SELECT (id, email, is_active), UPDATE (joined_at) ON access_user TO bh_worker;"
_GRANT_WORKER: Final = """
DO $$ DECLARE closed record; BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bh_worker') THEN RETURN; END IF;
    GRANT USAGE ON SCHEMA public TO bh_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bh_worker;
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO bh_worker;
    GRANT EXECUTE ON FUNCTION market_make_month(date) TO bh_worker;
    FOR closed IN SELECT c.relname AS name FROM pg_class c
        WHERE c.relrowsecurity OR (c.relkind = 'r' AND c.relname = ANY(%(closed)s))
    LOOP
        EXECUTE format('REVOKE ALL ON %%I FROM bh_worker', closed.name);
        EXECUTE format('DROP POLICY IF EXISTS worker_rows ON %%I', closed.name);
    END LOOP;
    %(opened)s
END $$
"""


def grant_worker_role() -> None:
    """Let ``bh_worker``, where there is such a role, do its work, and see of private rows what that needs."""
    opened = _PEOPLE + "".join(
        f"GRANT {rights} ON {table} TO bh_worker; CREATE POLICY worker_rows ON {table} TO bh_worker USING (true);"
        for table, rights in WORKER_MAY.items()
    )
    closed = f"ARRAY[{', '.join(repr(table) for table in _NOT_FOR_WORKERS)}]"
    with connection.cursor() as cursor:
        cursor.execute(_GRANT_WORKER % {"opened": opened, "closed": closed})


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
