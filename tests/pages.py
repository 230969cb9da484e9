"""What tests of pages share: light services, and someone who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

if TYPE_CHECKING:
    from pytest_django import Settings

    from access.models import User


def use_light_services(settings: Settings) -> None:
    """Static files under their own names, a quick password hash, and a cache of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture(autouse=True)
def light_services(settings: Settings) -> None:
    """Use them in every test below a conftest that names this fixture."""
    use_light_services(settings)


def client_of(user: User | None) -> Client:
    """Return a browser of this user, or an anonymous one."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
