"""What became of the work: staff may look, nobody edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from bhweb.models import Job

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Jobs, the newest first; the dead ones with their reason."""

    list_display = ("id", "stage", "instrument", "slot_at", "queue", "state", "attempt", "finished_at", "error")
    list_filter = ("state", "queue", "stage")
    list_select_related = ("instrument",)
    ordering = ("-id",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # the signature is Django's
        """Jobs are put by the pipeline."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:  # noqa: ARG002  # the signature is Django's
        """A record of what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:  # noqa: ARG002  # the signature is Django's
        """Old jobs go by themselves."""
        return False
