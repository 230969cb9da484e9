from django.apps import AppConfig
from django.conf import settings

from bhweb import clock


class BhwebConfig(AppConfig):
    name = "bhweb"

    def ready(self) -> None:
        """Let a replayed market bring its own time."""
        clock.follow(settings.CLOCK)
