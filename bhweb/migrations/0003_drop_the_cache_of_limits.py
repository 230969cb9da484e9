from django.db import migrations


class Migration(migrations.Migration):
    """Limits of the API are counted in buckets of access now (decision 0039)."""

    dependencies = [("bhweb", "0002_delay_and_skip_jobs")]

    operations = [migrations.RunSQL("DROP TABLE IF EXISTS bhweb_limits", migrations.RunSQL.noop)]
