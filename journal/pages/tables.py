"""The journal as tables: a zip archive of CSV files, one for each kind of row."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from access.sheets import lines
from market.series import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TABLES: Final = ("plans", "entries", "events", "fills", "trades", "reviews", "week_notes")
# Written by their names in the document, where they are milliseconds.
_TIMES: Final = ("at", "at_ms", "armed_at_ms", "expires_at", "opened_at", "closed_at", "reviewed_at")


def pack(document: Mapping[str, Any]) -> bytes:
    """Return an export's tables as a zip archive; lists and rules are JSON in their cells, times are UTC."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in TABLES:
            archive.writestr(f"{name}.csv", "".join(_table([_flat(row) for row in document[name]])))
    return packed.getvalue()


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = list(rows[0]) if rows else []
    yield from lines([[name.removesuffix("_ms") for name in names]])
    yield from lines([_cell(name, row[name]) for name in names] for row in rows)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Bring an entry's link up beside what it says."""
    return {**row.get("link", {}), **{name: value for name, value in row.items() if name != "link"}}


def _cell(name: str, value: Any) -> Any:  # noqa: ANN401  # whatever a row holds
    if name in _TIMES and value is not None:
        return moment(value).isoformat().replace("+00:00", "Z")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
