"""What the log must not hold: secrets of addresses, endless lines, and traces of what is no fault of ours."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Final

LONGEST: Final = 300
_SECRET: Final = re.compile(r"(/enter/)[^/\s'\"]+")


class Discreet(logging.Filter):
    """Makes the records of requests fit to be kept."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten and redact; every record passes."""
        if record.name.startswith("django"):
            record.msg, record.args = _brief(record.getMessage()), None
            if record.exc_info and _is_no_fault(record):
                error = record.exc_info[1]
                record.msg = _brief(f"{record.msg} ({type(error).__name__}: {error})")
                record.exc_info = None
        return True


def _brief(text: str) -> str:
    line = _SECRET.sub(r"\1…", " ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _is_no_fault(record: logging.LogRecord) -> bool:
    # Loaded late: logging is set up before Django's database layer may be.
    from bhweb.failures import AWAY  # noqa: PLC0415

    error = record.exc_info[1] if record.exc_info else None
    status = getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR)
    return isinstance(error, AWAY) or status < HTTPStatus.INTERNAL_SERVER_ERROR
