"""Keep when an owner was told that a plan expires soon, and that its review is due."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("journal", "0016_show_trades_to_their_owner")]

    operations = [
        migrations.AddField("judgement", "expiry_told_at", models.DateTimeField(null=True)),
        migrations.AddField("judgement", "review_told_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "judgement",
            models.Index(
                fields=["instrument", "through_at"],
                condition=Q(is_done=True, reviewed_at=None, review_told_at=None),
                name="judgement_to_review",
            ),
        ),
    ]
