import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("market", "0007_confirm_what_is_missing"),
    ]

    operations = [
        migrations.CreateModel(
            name="VenueLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("venue", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=32)),
                ("window_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("spent", models.FloatField(default=0.0, help_text="weight spent since window_at")),
                ("asked", models.BooleanField(default=True, help_text="whether the newest request was let through")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("venue", "name"), name="venue_limit_unique")],
            },
        ),
    ]
