from django.db import migrations


class Migration(migrations.Migration):
    """Tries that stand counted are forgotten: each begins with a full bucket once more."""

    dependencies = [
        ("access", "0009_write_as_its_reader_wants"),
    ]

    operations = [
        migrations.DeleteModel(name="LoginAllowance"),
    ]
