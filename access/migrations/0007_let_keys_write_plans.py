"""Say that a key for plans may write them too."""

import django.contrib.postgres.fields
from django.db import migrations, models

import access.models.people


class Migration(migrations.Migration):
    dependencies = [("access", "0006_own_preferences")]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("data", "Market data, maps and scores"),
                        ("plans", "Your plans, trades and reviews, also to write them"),
                    ],
                    max_length=8,
                ),
                default=access.models.people.ApiKey.Scope.every,
                size=None,
            ),
        ),
    ]
