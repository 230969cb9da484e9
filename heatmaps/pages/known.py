"""What a page has already is not sent to it again: parts are known by a digest of what they say."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# Sections of the chart's document that change with a step or an hour, not with each bar.
SECTIONS: Final = ("slice", "leverage", "zones", "touches", "levels")
# Stands between the parts of the page's fragment.
BETWEEN: Final = "<!--part-->"
# Of a digest [hex digits], and how many digests a page may name.
_DIGITS: Final = 12
_MOST: Final = 32


def digest(text: str) -> str:
    """Return the name of what is said."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def read(text: str) -> frozenset[str]:
    """Read the digests that a page names, separated by commas; what is none is passed over."""
    return frozenset(text.split(",", _MOST)[:_MOST])


def with_digests(document: dict[str, Any]) -> dict[str, Any]:
    """Add the digests of a chart's sections to its document."""
    said = {name: json.dumps(document[name], sort_keys=True) for name in SECTIONS}
    return {**document, "digests": {name: digest(f"{name}{text}") for name, text in said.items()}}


def without(document: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Leave sections out that are known by the digest under which they are named in the document."""
    left_out = {name for name, named in document["digests"].items() if named in known}
    return {name: value for name, value in document.items() if name not in left_out}


def parts_of(html: str) -> dict[str, str]:
    """Return the parts of a fragment by their digests."""
    parts = [part.strip() for part in html.split(BETWEEN)]
    return {digest(part): part for part in parts if part}


def new_parts(parts: Mapping[str, str], known: Collection[str]) -> tuple[str, str]:
    """Return a fragment without the parts that are known, and the digests of all its parts."""
    return "\n".join(part for name, part in parts.items() if name not in known), ",".join(parts)
