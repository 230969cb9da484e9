"""The whole journal leaves as one document or as tables."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from journal import operations, queries
from tests.factories import make_plan
from tests.journal.terms import NOW, SOON
from tests.journal.test_trades import SOLD, take

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db


def test_tables_hold_what_the_document_holds_and_no_formula(owner: User, zone: Zone, client: Client) -> None:
    make_plan(owner=owner, zone=zone, expires_at=SOON, thesis="=cmd()|' /C calc'!A0")
    operations.arm_plan(owner_id=owner.pk, number=1, now=NOW)
    take(owner, SOLD, NOW)
    document = queries.export_journal(owner_id=owner.pk)
    archive = zipfile.ZipFile(io.BytesIO(client.get(reverse("journal:export-tables")).content))
    tables = {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
        for name in archive.namelist()
    }
    assert {name: len(rows) for name, rows in tables.items()} == {name: len(document[name]) for name in tables}
    assert set(document) - {"schema"} == set(tables)
    (plan,) = tables["plans"]
    assert (plan["thesis"], plan["entry"], plan["expires_at"]) == (
        "'=cmd()|' /C calc'!A0", "59200", SOON.isoformat().replace("+00:00", "Z"),
    )  # fmt: skip
    assert tables["fills"][0]["at"] == "2026-05-04T10:00:00Z"
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
