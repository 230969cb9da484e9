"""The app, and the admin site, which does not exist for anyone but staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.contrib.admin import AdminSite
from django.contrib.admin import apps as admin_apps
from django.shortcuts import redirect
from django.urls import URLResolver
from django.utils.module_loading import autodiscover_modules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponseRedirect


class AccessConfig(AppConfig):
    name = "access"
    default = True  # the configuration of the admin below is not this app's

    def ready(self) -> None:
        """Load the mails of all rooms, and listen to what mail services report."""
        from access import signals  # noqa: PLC0415  # models load only after the apps

        signals.connect()
        autodiscover_modules("mails", "belongings")


class StaffSiteConfig(admin_apps.AdminConfig):
    default = False
    default_site = "access.apps.StaffSite"


class StaffSite(AdminSite):
    """Every page behind the staff policy; the one login page with its limits is ours."""

    site_header = site_title = "BH Terminal"

    def get_urls(self) -> list[Any]:
        """Guard every route, the catch-all and the login page among them."""
        patterns = super().get_urls()
        _guard(patterns)
        return patterns

    def login(
        self,
        request: HttpRequest,  # noqa: ARG002  # Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002  # Django's signature
    ) -> HttpResponseRedirect:
        """Send staff on; nobody else comes this far."""
        return redirect("admin:index")


def _guard(patterns: Iterable[Any]) -> None:
    # Only once the apps are loaded can the policies, which know the models, be imported.
    from access.permissions import staff  # noqa: PLC0415

    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            _guard(pattern.url_patterns)
        else:
            pattern.callback = staff(pattern.callback)
