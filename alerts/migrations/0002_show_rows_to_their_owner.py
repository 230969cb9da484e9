"""Alerts stand behind the same wall as plans (journal's migration 0014)."""

from django.db import migrations

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
TABLES = ("alerts_rule", "alerts_notice", "alerts_preferences", "alerts_watched")
WALL = "".join(
    f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY own_rows ON {table} USING ({OWN}) WITH CHECK ({OWN});"
    for table in TABLES
)
NO_WALL = "".join(
    f"DROP POLICY own_rows ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_start")]

    operations = [migrations.RunSQL(WALL, NO_WALL)]
