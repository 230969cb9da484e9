"""Which mails there are. Each room declares its own in `<room>/mails.py`, which is loaded at start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTICES: Final[dict[str, Notice]] = {}


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail that can be posted: its text is `templates/mail/<slug>.txt`, its subject the first line there.

    A letter may be unsubscribed from and carries the headers of RFC 8058; any other notice is about the reader's own
    account and goes out until the address bounces. The sample fills the operator's preview.
    """

    slug: str
    is_letter: bool
    sample: Mapping[str, Any]


def declare(slug: str, *, sample: Mapping[str, Any], is_letter: bool = False) -> Notice:
    """Make a notice known; raise ValueError where another has its slug."""
    notice = Notice(slug=slug, is_letter=is_letter, sample=sample)
    if NOTICES.setdefault(slug, notice) != notice:
        raise ValueError(f"Another mail is called {slug!r}: choose a slug of its own.")
    return notice
