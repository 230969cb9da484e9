"""What the trader decided, by topic. Every row belongs to an owner and is asked for through one door."""

from .answers import SentAnswer
from .drafts import Unfinished
from .entries import JournalEntry
from .moved import MovedJournal
from .notes import NoteKey, WeekNote
from .plans import Plan
from .trades import Fill, RefusedRow, Review, Trade, TradeFile
from .verdicts import Judgement, PlanEvent
from .words import LONGEST_TAG, ReviewWords

__all__ = [
    "LONGEST_TAG",
    "Fill",
    "JournalEntry",
    "Judgement",
    "MovedJournal",
    "NoteKey",
    "Plan",
    "PlanEvent",
    "RefusedRow",
    "Review",
    "ReviewWords",
    "SentAnswer",
    "Trade",
    "TradeFile",
    "Unfinished",
    "WeekNote",
]
