"""One spelling of a JSON value, so that a hash of it means the same to every reader.

RFC 8785 for values that have one spelling everywhere: text, whole numbers up to 2^53 - 1, booleans, null, lists, and
objects with ASCII keys, for which code points and UTF-16 units sort alike. Decimals belong into strings.
"""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import Final, TypeAlias

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None

# The largest whole number that every reader of JSON keeps exactly (RFC 8785 refers to RFC 7493).
_EXACT: Final = 2**53 - 1


class InexactError(ValueError):
    """A value has more than one spelling in JSON and can not be hashed."""


def canonical_json(value: object, *, is_exact: bool = True) -> bytes:
    """Spell a value in its one way; numbers other than exact integers are refused.

    Without ``is_exact`` finite floats are spelled by the shortest text that reads back the same, Python's: good for
    what only this program hashes. Raises InexactError.
    """
    _require_one_spelling(value, is_exact=is_exact)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest(value: object, *, is_exact: bool = True) -> str:
    """SHA-256 of the canonical spelling, in hexadecimal. Raises InexactError."""
    return sha256(canonical_json(value, is_exact=is_exact)).hexdigest()


def _require_one_spelling(value: object, *, is_exact: bool) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise InexactError(f"The key {key!r} is not ASCII text.")
            _require_one_spelling(item, is_exact=is_exact)
    elif isinstance(value, list):
        for item in value:
            _require_one_spelling(item, is_exact=is_exact)
    elif not (value is None or isinstance(value, str) or _is_exact(value) or (not is_exact and _is_finite(value))):
        raise InexactError(f"{value!r} has no exact spelling. Write it as text.")


def _is_exact(value: object) -> bool:
    return isinstance(value, int) and abs(value) <= _EXACT


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)
