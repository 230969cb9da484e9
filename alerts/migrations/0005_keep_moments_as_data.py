"""A moment that a notice speaks of is kept beside its sentence: each reader has it by their own clock.

What was told before keeps its sentence, which says UTC.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0004_live_by_one_clock")]

    operations = [
        migrations.AddField(
            "notice",
            "moment",
            models.DateTimeField(null=True, help_text="which stands in the text, by each reader's clock"),
        ),
        migrations.AlterField(
            "notice",
            "text",
            models.CharField(max_length=300, help_text="with access.reading.MOMENT where a moment stands"),
        ),
    ]
