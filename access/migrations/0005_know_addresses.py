"""Accounts from before allauth: their addresses count as verified."""

from typing import Any

from django.db import migrations


def verify(apps: Any, schema_editor: Any) -> None:  # noqa: ANN401, ARG001  # Django's signature
    address = apps.get_model("account", "EmailAddress")
    users = apps.get_model("access", "User").objects.all()
    address.objects.bulk_create(
        [address(user_id=user.pk, email=user.email, verified=True, primary=True) for user in users],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_open_early_access"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunPython(verify, migrations.RunPython.noop)]
