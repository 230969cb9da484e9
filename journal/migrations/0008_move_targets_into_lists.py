"""One target becomes a list. An armed plan refuses changes, so the lock is lifted for this one copy."""

from django.db import migrations

COPY = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE journal_plan DISABLE TRIGGER USER;
UPDATE journal_plan SET targets = jsonb_build_array(jsonb_build_array(trim_scale(target)::text, '1'));
ALTER TABLE journal_plan ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0007_give_plans_their_full_shape")]

    operations = [migrations.RunSQL(COPY, migrations.RunSQL.noop)]
