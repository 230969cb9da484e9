"""PostgreSQL shows private rows to their owner only: a wall of its own behind the queries' filter.

The owner of the tables, as whom migrations and workers run, is not held back; the role ``bh_web`` is.
"""

from django.db import migrations

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
OF_OWN_PLAN = "EXISTS (SELECT 1 FROM journal_plan AS own WHERE own.id = plan_id)"
TABLES = {
    "journal_plan": OWN,
    "journal_unfinished": OWN,
    "journal_journalentry": OWN,
    "journal_judgement": OF_OWN_PLAN,
    "journal_planevent": OF_OWN_PLAN,
}
WALL = "".join(
    f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY own_rows ON {table} USING ({rule}) WITH CHECK ({rule});"
    for table, rule in TABLES.items()
)
NO_WALL = "".join(
    f"DROP POLICY own_rows ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("journal", "0013_look_at_corrections")]

    operations = [migrations.RunSQL(WALL, NO_WALL)]
