"""Rival assumptions: choose two estimators, see where one of them holds more of its map than the other."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from django.core.cache import cache

from heatmaps import palette, picture
from heatmaps.core.estimators import ESTIMATORS, load_estimator
from heatmaps.core.estimators.base import parameters_digest
from heatmaps.core.rivals import EDGES_PCT, ROW_WIDTH, Pair, compare
from heatmaps.core.tile import GAP
from heatmaps.pages import figures, naming
from market import queries as market
from market.contracts import in_contracts
from market.series import epoch_ms, moment

if TYPE_CHECKING:
    import numpy.typing as npt

    from heatmaps.palette import Theme
    from market.models import Instrument
    from market.series import Records

SHOWN: Final = dt.timedelta(hours=48)
# Twice as long takes twice as long to draw: more than two seconds of two maps with bars of a minute.
WARM_UP: Final = dt.timedelta(days=7)
PERIOD_S: Final = 900
# Heights by width [px].
SIZES: Final = {"390": 440, "540": 400, "1100": 600}
# What a picture shows: the difference, or one of the two maps.
SHOWS: Final = ("difference", "one", "other")
CHOICES: Final = {
    "open-interest": "Open interest (ours)",
    "path-only": "Path of price alone (null)",
    "uniform": "Uniform",
    "ladder": "Leverage ladder on the price",
    "pivots": "Pivots and volume spikes",
    "candle-colour": "Open interest by candle colour",
    "interest-change": "Open interest, proportional removal",
    "turnover": "Turnover with a half-life",
    "volume-profile": "Volume profile, shifted",
    "climatology": "Our average by distance",
    "yesterday": "Yesterday's map",
}
_KEEP_SECONDS: Final = 900
_MIDDLE: Final = 128
_STEPS: Final = 126
# Hues of the first and of the second estimator: neither is that of longs or of shorts.
_HUES: Final = (150.0, 320.0)


class UnknownRivalError(ValueError):
    """No estimator has that name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is compared: two estimators over the 48 hours from ``since`` on; None for the newest ones."""

    key: str
    one: str = "open-interest"
    other: str = "path-only"
    since: dt.datetime | None = None

    def __post_init__(self) -> None:
        for slug in (self.one, self.other):
            if slug not in ESTIMATORS:
                raise UnknownRivalError(slug)


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks, as it was asked for: what it shows (SHOWS), the theme, and the width (SIZES)."""

    show: str
    theme: Theme
    width: str

    @property
    def is_offered(self) -> bool:
        """Whether there is such a picture."""
        return self.show in SHOWS and self.width in SIZES


@dataclass(frozen=True, slots=True)
class _Found:
    """A comparison as it is cached; strongest: the difference in the strongest colour [share of a map per row]."""

    tag: str
    bars: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    pair: Pair | None
    strongest: float


@dataclass(frozen=True, slots=True)
class Row:
    """One distance of the table, in words."""

    side: str
    distance: str
    one: str
    other: str
    difference: str


@dataclass(frozen=True, slots=True)
class Rivals:
    """The page; ``rows`` is empty and ``reason`` says why where nothing can be compared."""

    instrument: Instrument
    title: str
    wish: Wish
    choices: list[tuple[str, str]]
    since_text: str
    until_text: str
    apart: str
    strongest: str
    fullest: str
    rows: list[Row]
    reason: str

    @property
    def warm_up_days(self) -> int:
        """How long both rules ran before what is shown [days]."""
        return WARM_UP.days

    @property
    def one_name(self) -> str:
        """The first estimator in words."""
        return CHOICES[self.wish.one]

    @property
    def other_name(self) -> str:
        """The second one."""
        return CHOICES[self.wish.other]


def load(*, wish: Wish, now: dt.datetime) -> Rivals:
    """Compare, and say it in words and as a table."""
    instrument = market.get_instrument(key=wish.key)
    found = _find(instrument, wish, now)
    table = found.pair.table() if found.pair is not None else None
    reason = "" if table is not None else _reason(instrument)
    starts = found.starts
    return Rivals(
        instrument=instrument,
        title=naming.title(instrument),
        wish=wish,
        choices=list(CHOICES.items()),
        since_text=f"{moment(int(starts[0])):%Y-%m-%dT%H:%M}" if len(starts) else "",
        until_text=f"{moment(int(starts[-1]) + PERIOD_S * 1000):%d %b %H:%M} UTC" if len(starts) else "",
        apart="" if table is None or found.pair is None else f"{100 * found.pair.apart():.0f}%",
        strongest=f"{100 * found.strongest:.2g}",
        fullest="" if found.pair is None else f"{100 * _fullest(found.pair):.2g}",
        rows=[] if table is None else _rows(table),
        reason=reason,
    )


def picture_of(*, wish: Wish, look: Look, now: dt.datetime) -> tuple[bytes, str] | None:
    """Draw the difference or one of the maps; None where there is none. Returns the PNG and an entity tag."""
    instrument = market.get_instrument(key=wish.key)
    found = _find(instrument, wish, now)
    if found.pair is None:
        return None
    tag = hashlib.sha256(f"{found.tag}|{look}".encode()).hexdigest()[:24]
    body: bytes | None = cache.get(f"heatmaps:rivals:{tag}")
    if body is None:
        scene = _scene(instrument, found, found.pair, _shown(found, found.pair, look.show, wish), look.theme)
        body = picture.draw(scene=scene, theme=look.theme, width=int(look.width), height=SIZES[look.width])
        cache.set(f"heatmaps:rivals:{tag}", body, _KEEP_SECONDS)
    return body, tag


def _find(instrument: Instrument, wish: Wish, now: dt.datetime) -> _Found:
    """The comparison, made once for each state of the data."""
    as_of = market.freshness(instrument=instrument, now=now).as_of
    period = dt.timedelta(seconds=PERIOD_S)
    last = as_of or now
    until = min(wish.since + SHOWN, last) if wish.since else last
    until = moment(epoch_ms(until) // (PERIOD_S * 1000) * PERIOD_S * 1000)
    releases = [(one.version, parameters_digest(one.parameters)) for one in map(load_estimator, (wish.one, wish.other))]
    state = f"{instrument.pk}|{wish.one}|{wish.other}|{releases}|{until.isoformat()}|{as_of}"
    tag = hashlib.sha256(state.encode()).hexdigest()[:24]
    found: _Found | None = cache.get(f"heatmaps:rivals:{tag}")
    if found is None:
        rows = market.load_bars(
            instrument_id=instrument.pk, since=until - SHOWN, until=until, timeframe=int(period.total_seconds())
        )
        found = _compare(instrument, wish, rows, until, tag)
        cache.set(f"heatmaps:rivals:{tag}", found, _KEEP_SECONDS)
    return found


def _compare(instrument: Instrument, wish: Wish, rows: Records, until: dt.datetime, tag: str) -> _Found:
    starts = rows["open_time"].astype(np.int64)
    bars = (
        np.stack([rows[name] for name in ("open", "high", "low", "close")], axis=1) if len(rows) else np.empty((0, 4))
    )
    if len(rows) == 0 or instrument.is_pair:
        return _Found(tag, bars, starts, None, 0.0)
    window = market.load_window(
        instrument_id=instrument.pk, since=until - SHOWN - WARM_UP, until=until, beside=("mark_bars",)
    )
    if instrument.contract_type == "inverse":
        window = in_contracts(window, instrument.contract_size)
    terms = market.load_terms(instrument=instrument)
    one, other = (load_estimator(slug, terms=terms) for slug in (wish.one, wish.other))
    pair = compare(one, other, window, starts + PERIOD_S * 1000, rows["close"])
    known = np.abs(pair.difference[np.isfinite(pair.difference)])
    if len(known) == 0:
        return _Found(tag, bars, starts, None, 0.0)
    return _Found(tag, bars, starts, pair, float(np.quantile(known[known > 0.0], 0.99)) if known.any() else 0.0)


def _fullest(pair: Pair) -> float:
    """Return what either map has in full colour [share of a map per row]."""
    known = pair.shares[np.isfinite(pair.shares) & (pair.shares > 0.0)]
    return float(np.quantile(known, 0.99)) if len(known) else 0.0


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a picture shows: signed amounts by row and column, the amount in full colour, and its words."""

    amounts: npt.NDArray[np.float64]
    full: float
    title: str
    caption: str


def _shown(found: _Found, pair: Pair, show: str, wish: Wish) -> _Shown:
    """Choose it; each map has the hue that it has in the difference."""
    if show == "one":
        return _Shown(pair.shares[0], _fullest(pair), wish.one, "Estimate")
    if show == "other":
        return _Shown(-pair.shares[1], _fullest(pair), wish.other, "Estimate")
    return _Shown(pair.difference, found.strongest, f"{wish.one} against {wish.other}", "Difference of estimates")


def _scene(instrument: Instrument, found: _Found, pair: Pair, shown: _Shown, theme: Theme) -> picture.Scene:
    strength = np.sqrt(np.minimum(np.abs(shown.amounts) / (shown.full or 1.0), 1.0))
    codes = np.where(np.isnan(shown.amounts), 0.0, np.sign(shown.amounts) * strength * _STEPS) + _MIDDLE
    codes = np.where(np.isnan(shown.amounts), GAP, np.rint(codes)).astype(np.uint8)
    colours = colour_table(theme)
    return picture.Scene(
        title=shown.title,
        caption=shown.caption,
        digits=figures.decimals(instrument.tick_size),
        bars=found.bars,
        times=[f"{moment(int(start)):%d %b %H:%M}" for start in found.starts],
        codes=codes,
        bin_lo=pair.row_lo,
        bin_width=ROW_WIDTH,
        colours=np.stack([colours, colours])[:, None],
        scale_codes=(1, 254),
        scale_text=("", ""),
        zones=(),
    )


def colour_table(theme: Theme) -> npt.NDArray[np.uint8]:
    """Colours of codes: below the middle the second estimator holds more, above it the first; the middle is ground."""
    ground = np.array(palette.GROUND[theme], np.float64)
    table = np.tile(ground, (256, 1))
    full = [palette.oklch(0.74 if theme == "dark" else 0.52, 0.15, hue) for hue in _HUES]
    for step in range(1, _STEPS + 1):
        for sign, colour in zip((1, -1), full, strict=True):
            table[_MIDDLE + sign * step] = ground + (np.array(colour) - ground) * (step / _STEPS)
    return np.rint(table).astype(np.uint8)


def _rows(table: npt.NDArray[np.float64]) -> list[Row]:
    found = []
    for side, name in ((0, "Longs, below"), (1, "Shorts, above")):
        for index, (low, high) in enumerate(pairwise(EDGES_PCT)):
            one, other = (float(table[which, side, index]) * 100.0 for which in (0, 1))
            apart = f"{one - other:+.1f}".replace("-", "−")
            found.append(Row(name, f"{low:g} to {high:g}%", f"{one:.1f}%", f"{other:.1f}%", f"{apart} pp"))
    return found


def _reason(instrument: Instrument) -> str:
    if instrument.is_pair:
        return "A pair's map is the sum of its members' maps. Compare assumptions on one of its members."
    return "One of the two has no map here: bars and open interest are both needed, and yesterday's map a day of them."
