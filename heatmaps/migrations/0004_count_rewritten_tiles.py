from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("heatmaps", "0003_freeze_the_colour_scale"),
    ]

    operations = [
        migrations.AddField(
            model_name="heatmap",
            name="shown_through",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="heatmap",
            name="revision",
            field=models.PositiveIntegerField(default=1, db_default=1),
        ),
        # What is built now is what was shown so far.
        migrations.RunSQL("UPDATE heatmaps_heatmap SET shown_through = built_through", migrations.RunSQL.noop),
    ]
