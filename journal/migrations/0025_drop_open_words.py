"""Drop the columns in which the words of reviews and the answers lay open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("journal", "0024_seal_reviews")]

    operations = [
        migrations.AlterField(
            "review", "sealed", models.BinaryField(help_text="journal.models.ReviewWords, for the owner's key only")
        ),
        *(
            migrations.RemoveField("review", name)
            for name in ("what_happened", "lesson", "early_interest", "mistakes", "remarks")
        ),
        migrations.RemoveField("sentanswer", "body"),
    ]
