"""Keep what the API answered to requests that carry a key, behind the wall of their owner."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

OWN = "owner_id::text IN (current_setting('bh.owner', true), current_setting('bh.erasing_owner', true))"
WALL = (
    "ALTER TABLE journal_sentanswer ENABLE ROW LEVEL SECURITY;"
    f"CREATE POLICY own_rows ON journal_sentanswer USING ({OWN}) WITH CHECK ({OWN});"
)
NO_WALL = "DROP POLICY own_rows ON journal_sentanswer; ALTER TABLE journal_sentanswer DISABLE ROW LEVEL SECURITY;"


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0017_tell_of_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key_sha256", models.CharField(help_text="of the key that was sent", max_length=64)),
                ("request_sha256", models.CharField(help_text="of method, address and body", max_length=64)),
                ("status", models.SmallIntegerField(default=0)),
                ("body", models.JSONField(null=True)),
                ("sent_at", models.DateTimeField(db_default=Now())),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["owner", "sent_at"], name="sent_answer_by_age")],
                "constraints": [models.UniqueConstraint(fields=("owner", "key_sha256"), name="sent_answer_once")],
            },
        ),
        migrations.RunSQL(WALL, NO_WALL),
    ]
