"""What tests of pages share: light services, and someone who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache import cache
from django.test import Client

if TYPE_CHECKING:
    from pytest_django import SettingsWrapper

    from access.models import User


def use_light_services(settings: SettingsWrapper) -> None:
    """Static files under their own names, a quick password hash, and a cache of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


def client_of(user: User | None) -> Client:
    """Return a browser of this user, or an anonymous one."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
