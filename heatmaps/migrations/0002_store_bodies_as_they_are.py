"""Tiles are gzip and snapshots do not compress: leave them alone, so that reading one is a plain fetch."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("heatmaps", "0001_start")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE heatmaps_tile ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE heatmaps_tile ALTER COLUMN body SET STORAGE EXTENDED",
        ),
        migrations.RunSQL(
            "ALTER TABLE heatmaps_snapshot ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE heatmaps_snapshot ALTER COLUMN body SET STORAGE EXTENDED",
        ),
    ]
