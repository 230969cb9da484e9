"""A month of bars is a table, and making one asks for its owner's rights: a function lends them for just that."""

from django.db import migrations

MAKE = """
CREATE FUNCTION market_make_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    name text := 'market_bar_' || to_char(month, 'YYYY_MM');
    first date := date_trunc('month', month)::date;
    after date := (date_trunc('month', month) + interval '1 month')::date;
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE market_bar INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE market_bar ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first || ' 00:00+00', after || ' 00:00+00');
END $$;
REVOKE ALL ON FUNCTION market_make_month(date) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0008_let_limits_stand_apart")]

    operations = [migrations.RunSQL(MAKE, "DROP FUNCTION market_make_month(date)")]
