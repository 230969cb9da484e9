"""What is stored, and what was not believed: staff may look, nobody edits what exchanges reported."""

from __future__ import annotations

from django.contrib import admin

from access.permissions.admin import ReadOnlyAdmin
from market.models import Coverage, Instrument, Quarantine, Revision


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    """Contracts, with what their venue says of them."""

    list_display = ("key", "contract_type", "tick_size", "lot_size", "is_live", "is_simulated")
    list_filter = ("venue", "is_live", "is_simulated")
    search_fields = ("symbol",)
    ordering = ("venue", "symbol")


@admin.register(Coverage)
class CoverageAdmin(ReadOnlyAdmin):
    """The ledger: what is stored from when to when."""

    list_display = ("instrument", "series", "timeframe", "start_at", "end_at")
    list_filter = ("series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("instrument", "series", "timeframe", "start_at")


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnlyAdmin):
    """Lines that were not believed, the newest first."""

    list_display = ("origin", "line", "instrument", "series", "reason", "created_at")
    list_filter = ("series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("-id",)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    """What corrected rows held before, the newest first."""

    list_display = ("instrument", "series", "key_time", "former", "replaced_at")
    list_filter = ("series", "instrument")
    list_select_related = ("instrument",)
    ordering = ("-id",)
