"""The words of a claim, and the claim itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OURS: Final = "open-interest"
NULL: Final = "path-only"
SHOWN: Final = "shown"
NOT_SHOWN: Final = "not shown"
UNSCORED: Final = "not scored yet"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence about one subject, its verdict, and the figures that decided it.

    command: scores it where nothing has yet.
    """

    text: str
    subject: str
    verdict: str
    figures: tuple[str, ...]
    runs: tuple[int, ...]
    span: str
    command: str = ""

    @property
    def tone(self) -> str:
        """The badge's tone."""
        return {SHOWN: "ok", NOT_SHOWN: "warn"}.get(self.verdict, "none")
