"""A member's time zone is kept once, with their other preferences; what only the alerts knew of moves there."""

from django.db import migrations

MOVE = """
INSERT INTO access_preferences (user_id, theme, time_zone)
SELECT owner_id, '', time_zone FROM alerts_preferences WHERE time_zone <> 'UTC'
ON CONFLICT (user_id) DO UPDATE SET time_zone = EXCLUDED.time_zone WHERE access_preferences.time_zone = 'UTC'
"""


class Migration(migrations.Migration):
    dependencies = [("alerts", "0003_tell_of_plans"), ("access", "0009_write_as_its_reader_wants")]

    operations = [
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.RemoveField("preferences", "time_zone"),
    ]
