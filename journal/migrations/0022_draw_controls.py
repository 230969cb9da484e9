"""Keep what the same plan made at random moments."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("journal", "0021_seal_notes")]

    operations = [
        migrations.AddField(
            "judgement", "control", models.JSONField(null=True, help_text="journal.operations.controlling")
        ),
        migrations.AddIndex(
            "judgement",
            models.Index(
                fields=["instrument"],
                condition=Q(is_done=True, phase="closed", control__isnull=True),
                name="judgement_to_control",
            ),
        ),
    ]
