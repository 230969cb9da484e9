"""What the journal keeps of a person."""

from access.registry import declare

declare("plans", model="journal.Plan", owner="owner")
declare("plans-unfinished", model="journal.Unfinished", owner="owner")
declare("plans-entries", model="journal.JournalEntry", owner="owner")
declare("plans-judgements", model="journal.Judgement", owner="plan__owner")
declare("plans-events", model="journal.PlanEvent", owner="plan__owner")
declare("trades", model="journal.Trade", owner="owner")
declare("trades-files", model="journal.TradeFile", owner="owner")
declare("trades-fills", model="journal.Fill", owner="owner")
declare("trades-refused-rows", model="journal.RefusedRow", owner="owner")
declare("reviews", model="journal.Review", owner="owner", opened_by="journal.queries.words.say_reviews")
declare("notes-keys", model="journal.NoteKey", owner="owner", without=("wrapped",))
declare("notes-weeks", model="journal.WeekNote", owner="owner", opened_by="journal.queries.words.say_weeks")
declare(
    "api-answers",
    model="journal.SentAnswer",
    owner="owner",
    without=("key_sha256",),
    opened_by="journal.queries.words.say_answers",
)
declare("journals-imported", model="journal.MovedJournal", owner="owner", without=("content",))
