"""What is stored, and what was not believed: staff may look, nobody edits what exchanges reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils import timezone

from access.permissions.admin import ReadOnlyAdmin
from market import operations
from market.models import Coverage, Hole, Instrument, LeverageBracket, Quarantine, Revision
from market.operations import InstrumentRequestError
from market.sources.base import SourceError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    """Contracts, with what their venue says of them."""

    list_display = ("key", "contract_type", "tick_size", "lot_size", "is_live", "ended_at", "is_simulated")
    list_filter = ("venue", "is_live", "is_simulated")
    search_fields = ("symbol",)
    ordering = ("venue", "symbol")
    actions = ("enable", "disable", "sync")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Let those switch instruments who may change them."""
        user: Any = request.user
        return bool(user.has_perm("market.change_instrument"))

    @admin.action(description="Fetch from now on", permissions=["switch"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> None:
        """Switch on, all or none."""
        try:
            switched = operations.enable(keys=[row.key for row in chosen])
        except InstrumentRequestError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{len(switched)} instruments are fetched from now on.", messages.SUCCESS)

    @admin.action(description="Fetch no longer", permissions=["switch"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> None:
        """Switch off; what is stored stays."""
        switched = operations.disable(keys=[row.key for row in chosen])
        self.message_user(request, f"{len(switched)} instruments are fetched no longer.", messages.SUCCESS)

    @admin.action(description="Ask their venues which contracts they list", permissions=["switch"])
    def sync(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> None:
        """Bring the venues of the chosen instruments up to date; brackets take a request each and are the command's."""
        for slug in sorted({row.venue for row in chosen}):
            try:
                synced = operations.sync_venue(slug=slug, now=timezone.now(), with_brackets=False)
            except SourceError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                level = messages.ERROR if synced.refused else messages.SUCCESS
                self.message_user(request, str(synced), level)


@admin.register(Coverage)
class CoverageAdmin(ReadOnlyAdmin):
    """The ledger: what is stored from when to when."""

    list_display = ("instrument", "series", "timeframe", "start_at", "end_at")
    list_filter = ("series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("instrument", "series", "timeframe", "start_at")


@admin.register(Hole)
class HoleAdmin(ReadOnlyAdmin):
    """What is missing, and what is known about why."""

    list_display = ("instrument", "series", "timeframe", "start_at", "end_at", "state", "reason", "tries", "due_at")
    list_filter = ("state", "series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("-start_at", "id")


@admin.register(LeverageBracket)
class LeverageBracketAdmin(ReadOnlyAdmin):
    """Tables of leverage brackets by the day on which they changed, the newest first."""

    list_display = ("instrument", "as_of_date", "floor", "max_leverage", "maintenance_rate")
    list_filter = ("instrument",)
    list_select_related = ("instrument",)
    ordering = ("-as_of_date", "instrument", "floor")


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    """Lines that were not believed, the newest first."""

    list_display = ("origin", "line", "instrument", "series", "reason", "state", "created_at")
    list_filter = ("state", "series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("-id",)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """What corrected rows held before, the newest first."""

    list_display = ("instrument", "series", "key_time", "former", "replaced_at")
    list_filter = ("series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("-id",)
