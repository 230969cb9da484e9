"""What a locked plan did on the price path: a pure reducer over bars, never optimistic, versioned.

``terms`` says what is judged, ``branch`` what one price does to a plan, ``paths`` every way in which a bar may have
gone, ``drilling`` the finer bars that decide between them, ``reducer`` how bars follow each other,
``excursion`` how far the price went meanwhile, ``replaying`` what the same plan does at random moments.
"""

from .branch import Branch, Phase
from .confirming import Confirmation, Rule, from_data, to_data
from .drilling import Rung
from .excursion import Edge, Excursion, excursion, excursion_of
from .reducer import ENGINE_VERSION, Judged, judge, start
from .replaying import REPLAY_VERSION, Market, Replays, replay
from .scanning import Quiet, State, quiet
from .terms import Event, Kind, Target, Terms

__all__ = [
    "ENGINE_VERSION",
    "REPLAY_VERSION",
    "Branch",
    "Confirmation",
    "Edge",
    "Event",
    "Excursion",
    "Judged",
    "Kind",
    "Market",
    "Phase",
    "Quiet",
    "Replays",
    "Rule",
    "Rung",
    "State",
    "Target",
    "Terms",
    "excursion",
    "excursion_of",
    "from_data",
    "judge",
    "quiet",
    "replay",
    "start",
    "to_data",
]
