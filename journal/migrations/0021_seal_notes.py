"""Keep notes of weeks sealed, each owner's by a key of its own, behind the wall of their owner."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
TABLES = ("journal_notekey", "journal_weeknote")
WALL = "".join(
    f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY own_rows ON {table} USING ({OWN}) WITH CHECK ({OWN});"
    for table in TABLES
)
NO_WALL = "".join(
    f"DROP POLICY own_rows ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0020_measure_paths"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NoteKey",
            fields=[
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+",
                        serialize=False, to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("wrapped", models.BinaryField()),
                ("made_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            name="WeekNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("monday", models.DateField()),
                ("sealed", models.BinaryField()),
                ("kept_at", models.DateTimeField(db_default=Now())),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("owner", "monday"), name="week_note_once")]},
        ),
        migrations.RunSQL(WALL, NO_WALL),
    ]
