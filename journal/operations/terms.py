"""What the trader writes into a plan, and what has to change before it can stand."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from journal.models import Plan
from journal.verdict import from_data
from risk.formulas import Side, require_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST: Final = dt.timedelta(days=30)
RISK_MOST: Final = Decimal(100)
MOST_TARGETS: Final = 5
MOST_ZONES: Final = 5
MOST_SETUPS: Final = 8
_SETUP: Final = re.compile(r"[^,\n]{1,30}")
_HALF: Final = Decimal("0.5")
_NEEDED: Final = {
    "entry": "Give a price.",
    "invalidation": "Give a price.",
    "targets": "Give a price.",
    "risk_pct": "Give the risk in percent.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the trader writes into a plan; the words are those of ``journal.models.Plan``.

    targets: (price, weight) as text, as the row keeps them. A plan to observe has neither prices nor risk.
    """

    direction: str
    thesis: str
    expires_at: dt.datetime
    entry: Decimal | None = None
    invalidation: Decimal | None = None
    targets: list[list[str]] = field(default_factory=list)
    risk_pct: Decimal | None = None
    more_zones: list[int] = field(default_factory=list)
    wrong_if: str = ""
    setups: list[str] = field(default_factory=list)
    confirmation: dict[str, Any] = field(default_factory=dict)
    entry_kind: str = Plan.EntryKind.LIMIT.value
    max_chase: Decimal | None = None
    management: str = Plan.Management.NONE.value
    trail_atr: Decimal | None = None
    trigger_source: str = Plan.TriggerSource.LAST.value
    time_stop_hours: int | None = None
    equity: Decimal | None = None
    leverage: Decimal | None = None
    belief_pct: int | None = None
    conviction: int | None = None


NAMES: Final = tuple(one.name for one in fields(Terms))


class UnfitError(Exception):
    """The plan can not stand as it is; ``problems`` has a sentence for each field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def terms_of(plan: Plan) -> Terms:
    """Return what the trader wrote."""
    return Terms(**{name: getattr(plan, name) for name in NAMES})


def spell_targets(targets: Sequence[tuple[Decimal, Decimal]]) -> list[list[str]]:
    """Write targets and their weights as a row keeps them."""
    return [[format(price.normalize(), "f"), format(weight.normalize(), "f")] for price, weight in targets]


def tidy_words(words: Iterable[str]) -> list[str]:
    """Return setup tags trimmed, in small letters, each once; raises ValueError for too many or too long ones."""
    found = list(dict.fromkeys(word for one in words if (word := " ".join(one.split()).lower())))
    if len(found) > MOST_SETUPS or not all(_SETUP.fullmatch(word) for word in found):
        raise ValueError(f"Give at most {MOST_SETUPS} tags of up to 30 characters each.")
    return found


def find_problems(*, terms: Mapping[str, Any], now: dt.datetime) -> dict[str, str]:
    """Return what has to change before a plan can stand: a sentence for each field, none when all is well.

    Of terms that are not complete yet, what is there is checked.
    """
    is_observed = terms.get("direction") == Plan.Direction.OBSERVE
    problems = {} if is_observed else _misplaced(terms)
    if not is_observed:
        problems |= _mismatched(terms)
    if (risk := terms.get("risk_pct")) is not None and not 0 < risk <= RISK_MOST:
        problems["risk_pct"] = "Give the risk as a share of equity above 0 and at most 100 %."
    if "expires_at" in terms and terms["expires_at"] <= now:
        problems["expires_at"] = "The expiry has passed. Choose a later time."
    elif "expires_at" in terms and terms["expires_at"] > now + LONGEST:
        problems["expires_at"] = f"Choose an expiry within {LONGEST.days} days from now."
    return problems


def require_fit(terms: Terms, now: dt.datetime) -> None:
    """Raise UnfitError for terms that can not stand."""
    given = {name: getattr(terms, name) for name in NAMES}
    problems: dict[str, str] = {}
    if terms.direction != Plan.Direction.OBSERVE:
        problems = {name: sentence for name, sentence in _NEEDED.items() if not given[name]}
    if problems := problems | find_problems(terms=given, now=now):
        raise UnfitError(problems)


def _misplaced(terms: Mapping[str, Any]) -> dict[str, str]:
    if not terms.get("direction") or terms.get("entry") is None:
        return {}
    side: Side = 1 if terms["direction"] == Plan.Direction.LONG else -1
    # With a stop that is surely right, only the target can be refused.
    sure = {"entry": terms["entry"], "stop": terms["entry"] * (1 - side * _HALF)}
    problems = {}
    prices = [("invalidation", "stop", terms.get("invalidation"))]
    prices += [("targets", "target", Decimal(price)) for price, _ in terms.get("targets") or ()]
    for field_name, name, price in prices:
        if price is not None and field_name not in problems:
            try:
                require_order(side=side, **(sure | {name: price}))
            except ValueError as refusal:
                problems[field_name] = str(refusal)
    if "targets" not in problems and (said := _misweighed(terms.get("targets") or [], side)):
        problems["targets"] = said
    return problems


def _misweighed(targets: Sequence[Sequence[str]], side: Side) -> str:
    if not targets:
        return ""
    prices, weights = ([Decimal(row[i]) for row in targets] for i in (0, 1))
    if len(targets) > MOST_TARGETS:
        return f"Give at most {MOST_TARGETS} targets."
    turned = [side * price for price in prices]
    if turned != sorted(set(turned)):
        return "Give the targets in the order in which the price would meet them."
    if min(weights) <= 0 or sum(weights) != 1:
        return "Give each target a share above 0 %; the shares make 100 % together."
    return ""


def _mismatched(terms: Mapping[str, Any]) -> dict[str, str]:
    """Say where a rule lacks what it is about, or two choices do not go together."""
    problems = {}
    rule, kind = terms.get("confirmation"), terms.get("entry_kind")
    if kind == Plan.EntryKind.CONFIRMED and rule == {}:
        problems["confirmation"] = "An entry once confirmed needs a rule. Choose one, or another kind of entry."
    if rule:
        try:
            from_data(rule)
        except (ValueError, KeyError, ArithmeticError):
            problems["confirmation"] = "This is no rule of confirmation. Choose one of the list."
    if terms.get("management") == Plan.Management.TRAIL and "trail_atr" in terms and terms["trail_atr"] is None:
        problems["trail_atr"] = "Give the distance at which the stop trails, in hourly ATR."
    return problems
