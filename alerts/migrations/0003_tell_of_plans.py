"""Notices can be about a plan; members say whether such ones come by e-mail."""

from django.db import migrations, models

KINDS = [
    ("near", "Price comes near a zone"),
    ("chance", "Chance of a touch"),
    ("swept", "A zone is swept"),
    ("crowding", "Crowding state changes"),
    ("stale", "Data becomes stale"),
    ("plan", "What became of a plan"),
]


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_show_rows_to_their_owner")]

    operations = [
        migrations.AddField("preferences", "plans_by_mail", models.BooleanField(default=False)),
        migrations.AddField(
            "notice",
            "plan_number",
            models.IntegerField(null=True, help_text="of the owner's plan that it leads to"),
        ),
        migrations.AlterField("notice", "kind", models.CharField(max_length=8, choices=KINDS)),
    ]
