from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0007_let_keys_write_plans"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("state__in", ("queued", "sending"))),
                fields=["is_letter", "due_at", "id"],
                name="mail_by_turn",
            ),
        ),
    ]
