from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("journal", "0025_drop_open_words")]

    operations: ClassVar = [
        migrations.AddField("judgement", "quiet_low", models.DecimalField(decimal_places=15, max_digits=30, null=True)),
        migrations.AddField(
            "judgement", "quiet_high", models.DecimalField(decimal_places=15, max_digits=30, null=True)
        ),
        migrations.AddField("judgement", "quiet_until", models.DateTimeField(null=True)),
    ]
