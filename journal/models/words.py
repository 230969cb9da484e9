"""The words of a review. They are kept sealed; nothing of them is a column."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_WORDS = {"what_happened": 4000, "early_interest": 2000, "lesson": 300}
LONGEST_TAG = 30


@dataclass(frozen=True, slots=True)
class ReviewWords:
    """What a review says. mistakes: the trader's own words; remarks: (ISO time, text), added later.

    Raises ValueError where a text is longer than it may be, or one that is needed is missing.
    """

    what_happened: str
    lesson: str
    early_interest: str = ""
    mistakes: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Hold each text to its length."""
        for name, most in LONGEST_WORDS.items():
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > most or not (text or name == "early_interest"):
                raise ValueError(f"{name}: a text of at most {most} characters is needed")
        if any(not isinstance(tag, str) or len(tag) > LONGEST_TAG for tag in self.mistakes):
            raise ValueError(f"mistakes: each takes at most {LONGEST_TAG} characters")
