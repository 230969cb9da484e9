"""Room for the words of reviews, and for answers of the API, as only their owner's key opens them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("journal", "0022_draw_controls")]

    operations = [
        migrations.AddField(
            "review", "sealed",
            models.BinaryField(null=True, help_text="journal.models.ReviewWords, for the owner's key only"),
        ),
        migrations.AddField(
            "sentanswer", "sealed",
            models.BinaryField(default=b"", help_text="the body as JSON, for the owner's key only"),
        ),
    ]
