"""Everything that writes alerts: what members ask for, what they are told, and the e-mails about it."""

from .asking import TooManyRulesError, Wish, add_rule, drop_rule, keep_preferences, mark_read, unwatch, watch
from .looking import look
from .mailing import look_and_write, send_digests
from .telling import tell_of_plans

__all__ = [
    "TooManyRulesError",
    "Wish",
    "add_rule",
    "drop_rule",
    "keep_preferences",
    "look",
    "look_and_write",
    "mark_read",
    "send_digests",
    "tell_of_plans",
    "unwatch",
    "watch",
]
