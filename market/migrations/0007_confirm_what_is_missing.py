from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("market", "0006_note_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="instrument",
            name="missing_since",
            field=models.DateTimeField(help_text="since when its venue's list lacks it, unconfirmed", null=True),
        ),
        migrations.AddField(
            model_name="venuestate",
            name="listed_at",
            field=models.DateTimeField(help_text="when its list of contracts was last read", null=True),
        ),
    ]
