"""Keep how far the price went against a plan and for it while it was open."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("journal", "0019_keep_moved_journals")]

    operations = [
        migrations.AddField(
            "judgement", "excursion", models.JSONField(null=True, help_text="journal.verdict.Excursion")
        ),
        migrations.AddIndex(
            "judgement",
            models.Index(
                fields=["instrument"],
                condition=Q(is_done=True, phase="closed", excursion__isnull=True),
                name="judgement_to_measure",
            ),
        ),
    ]
