"""What was done beside what was planned: pure arithmetic in R, nothing blended, every part named.

``trades`` makes positions of executions, ``waterfall`` parts the difference to the model, ``lateness`` and
``adherence`` say how an entry and a trade kept to the plan, ``matching`` which plan a trade may belong to.
"""

from .adherence import Adherence, Part, adherence
from .lateness import Lateness, lateness
from .matching import Candidate, Match, match
from .trades import Execution, Trade, trades_of
from .waterfall import Waterfall, entered_at, result_of_fill, waterfall

__all__ = [
    "Adherence",
    "Candidate",
    "Execution",
    "Lateness",
    "Match",
    "Part",
    "Trade",
    "Waterfall",
    "adherence",
    "entered_at",
    "lateness",
    "match",
    "result_of_fill",
    "trades_of",
    "waterfall",
]
