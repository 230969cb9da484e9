"""The whole journal on its way out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.permissions import member
from journal import queries
from journal.pages.tables import pack
from journal.views.shared import owner_of


@member
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Give out everything that the owner wrote, with the chain and what verifies it."""
    body = queries.canonical_json(queries.export_journal(owner_id=owner_of(request)))
    return _file(body, "application/json", "journal.json")


@member
@require_safe
def export_tables(request: HttpRequest) -> HttpResponse:
    """Give out the same as tables, for spreadsheets."""
    return _file(pack(queries.export_journal(owner_id=owner_of(request))), "application/zip", "journal.zip")


def _file(body: bytes, kind: str, name: str) -> HttpResponse:
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
