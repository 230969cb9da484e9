"""What became of the work: staff may look, nobody edits."""

from __future__ import annotations

from django.contrib import admin

from access.permissions.admin import ReadOnlyAdmin
from bhweb.models import Job


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, the newest first; the dead ones with their reason."""

    list_display = ("id", "stage", "instrument", "slot_at", "queue", "state", "attempt", "finished_at", "error")
    list_filter = ("state", "queue", "stage")
    list_select_related = ("instrument",)
    ordering = ("-id",)
