"""Which maps a score of hourly totals compares, and which rival each is held against."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from heatmaps.core.estimators import ESTIMATORS, load_named
from heatmaps.core.estimators.variants import FundingTilted, load_variant
from heatmaps.core.score.walk import Masses, walk, walk_parts
from market.queries import load_funding

from .spans import WARM_UP, ScoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from heatmaps.core.estimators.base import Estimator
    from heatmaps.core.score.hours import Hours
    from market.series import Window

    from .spans import Span

OURS: Final = "open-interest"
NULL: Final = "path-only"
# Maps of several instruments together, by the variant that each of them runs.
POOLED: Final = MappingProxyType({"pooled": "engine-9", "null-pooled": "null-9"})


@dataclass(frozen=True, slots=True)
class MapSet:
    """maps: name -> variants whose parts stand beside one another; pairs: (map, rival that knows the path alone)."""

    maps: Mapping[str, Sequence[str]]
    pairs: Sequence[tuple[str, str]]


FIRST: Final = MapSet(
    {name: (name,) for name in ("engine-9", "null-9", "engine-24", "null-24", "smoothed-9", "smoothed-time-9")},
    (
        ("engine-9", "null-9"), ("engine-24", "null-24"), ("smoothed-9", "null-9"), ("smoothed-time-9", "null-9"),
    ),
)  # fmt: skip
RESEARCH: Final = MapSet(
    {
        "engine-9": ("engine-9",),
        "null-9": ("null-9",),
        "two-speed": ("slow-9", "fast-9"),
        "null-two-speed": ("null-slow-9", "null-fast-9"),
        "two-turnovers": ("engine-9", "quick-9"),
        "null-two-turnovers": ("null-9", "null-quick-9"),
        "plain-time": ("time-9",),
        "disposition": ("disposition-9",),
        "null-disposition": ("null-disposition-9",),
        "tilted": ("tilted-9",),
        "null-tilted": ("null-tilted-9",),
        "funding": ("funding-9",),
    },
    (
        ("engine-9", "null-9"),
        ("two-speed", "null-two-speed"),
        ("two-turnovers", "null-two-turnovers"),
        ("plain-time", "null-9"),
        ("disposition", "null-disposition"),
        ("tilted", "null-tilted"),
        ("funding", "null-9"),
        ("pooled", "null-pooled"),
    ),
)
SETS: Final[Mapping[str, MapSet | None]] = MappingProxyType(
    {"registered": None, "first-measurement": FIRST, "research": RESEARCH}
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Masses in money by map, the pairs to compare, and the estimators that made them."""

    masses: Mapping[str, Masses]
    pairs: Sequence[tuple[str, str]]
    estimators: Sequence[Estimator]


def compare(span: Span, window: Window, hours: Hours) -> Compared:
    """Run the span's set of maps."""
    chosen = SETS[span.maps]
    return _registered(span, window, hours) if chosen is None else _variants(span, chosen, window, hours)


def _registered(span: Span, window: Window, hours: Hours) -> Compared:
    estimators = {name: load_named(name, terms=span.terms) for name in span.names or ESTIMATORS}
    masses = {name: walk(one, window, hours.start_ms).priced(hours.price) for name, one in estimators.items()}
    return Compared(masses, pairs_of(list(masses)), list(estimators.values()))


def pairs_of(names: list[str]) -> list[tuple[str, str]]:
    """Ours against every baseline, and every baseline against the null."""
    ours, nulls = ([name for name in names if name.partition("@")[0] == slug] for slug in (OURS, NULL))
    mine = [(one, name) for one in ours for name in names if name != one]
    return mine + [(name, null) for null in nulls for name in names if name not in {*ours, *nulls}]


def _variants(span: Span, chosen: MapSet, window: Window, hours: Hours) -> Compared:
    slugs = list(dict.fromkeys(slug for several in chosen.maps.values() for slug in several))
    estimators = {slug: load_variant(slug, terms=span.terms) for slug in slugs}
    _tell_funding(span, estimators.values())
    found = {slug: walk_parts(one, window, hours).priced(hours.price) for slug, one in estimators.items()}
    masses = {name: Masses.joined([found[slug] for slug in several]) for name, several in chosen.maps.items()}
    if span.beside and chosen is RESEARCH:
        masses |= {name: Masses.joined([found[slug], *_beside(span, slug, hours)]) for name, slug in POOLED.items()}
    pairs = [(name, rival) for name, rival in chosen.pairs if name in masses]
    return Compared(masses, pairs, list(estimators.values()))


def _beside(span: Span, slug: str, hours: Hours) -> list[Masses]:
    """The same variant's masses on other instruments, in the hours of this one."""
    found = []
    for other in span.beside:
        window = other.window()
        there = other.hours(window, hours.start_ms)
        if len(there) != len(hours):
            raise ScoreError(f"{other.instrument.key} lacks bars in {len(hours) - len(there)} of the hours scored.")
        found.append(walk_parts(load_variant(slug, terms=other.terms), window, there).priced(there.price))
    return found


def _tell_funding(span: Span, estimators: Iterable[Estimator]) -> None:
    for one in estimators:
        if isinstance(one, FundingTilted):
            rows = load_funding(instrument_id=span.instrument.pk, since=span.since - WARM_UP, until=span.until)
            if len(rows) == 0:
                raise ScoreError(
                    f"There is no funding of {span.instrument.key}, which the research set reads; a file with the"
                    f" columns funding_time_ms,funding_rate brings it in:"
                    f" `python3 manage.py import_history FILE --instrument {span.instrument.key}`."
                )
            span.took(rows)
            one.funding = rows
