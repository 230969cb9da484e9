import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0008_take_mail_in_turn"),
    ]

    operations = [
        migrations.AddField(
            model_name="preferences",
            name="account",
            field=models.DecimalField(
                decimal_places=8, help_text="of plans and calculators", max_digits=20, null=True
            ),
        ),
        migrations.AddField(
            model_name="preferences",
            name="entry_fee_pct",
            field=models.DecimalField(decimal_places=4, help_text="below 0: a rebate", max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name="preferences",
            name="exit_fee_pct",
            field=models.DecimalField(decimal_places=4, help_text="below 0: a rebate", max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name="preferences",
            name="notation",
            field=models.CharField(
                choices=[("point", "1,234.5"), ("comma", "1.234,5")], db_default="point", default="point", max_length=5
            ),
        ),
        migrations.AddField(
            model_name="preferences",
            name="time_zone",
            field=models.CharField(db_default="UTC", default="UTC", max_length=64),
        ),
        migrations.AddField(
            model_name="preferences",
            name="venue",
            field=models.CharField(blank=True, db_default="", default="", help_text="whose fees hold", max_length=30),
        ),
        migrations.AlterField(
            model_name="preferences",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="preferences", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
