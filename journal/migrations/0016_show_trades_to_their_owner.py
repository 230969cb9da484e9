"""Trades and reviews stand behind the same wall as plans."""

from django.db import migrations

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
TABLES = ("journal_tradefile", "journal_refusedrow", "journal_fill", "journal_trade", "journal_review")
WALL = "".join(
    f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY own_rows ON {table} USING ({OWN}) WITH CHECK ({OWN});"
    for table in TABLES
)
NO_WALL = "".join(
    f"DROP POLICY own_rows ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("journal", "0015_keep_trades_and_reviews")]

    operations = [migrations.RunSQL(WALL, NO_WALL)]
