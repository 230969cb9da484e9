"""The state at a map's newest step, in a table that is not logged: what a crash costs is a few steps more."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('heatmaps', '0012_note_where_instruments_stand'),
    ]

    operations = [
        migrations.CreateModel(
            name='Head',
            fields=[
                ('heatmap', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='heatmaps.heatmap')),
                ('step_at', models.DateTimeField()),
                ('body', models.BinaryField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE heatmaps_head SET UNLOGGED; ALTER TABLE heatmaps_head ALTER body SET STORAGE EXTERNAL",
            "ALTER TABLE heatmaps_head SET LOGGED",
        ),
    ]
