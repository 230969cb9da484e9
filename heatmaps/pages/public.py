"""The delayed picture that anyone may see: why it is late stands in docs/decisions/0023."""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.cache import cache

from heatmaps import picture, queries
from heatmaps.pages import figures, naming, still
from market import queries as market
from market.series import HOUR_MS, STEP_MS, epoch_ms, moment

if TYPE_CHECKING:
    from heatmaps.palette import Theme
    from market.models import Instrument

# It shows the end of an hour, and never of one that ended less than so long ago.
DELAY: Final = dt.timedelta(hours=1)
WIDTHS: Final = (390, 1052)
_KEEP_SECONDS: Final = 2 * 3600


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands beside the picture: whose it is, of when, and the words under it."""

    symbol: str
    title: str
    as_of_text: str
    caption: str
    key: str


def find(*, symbol: str) -> Instrument:
    """Return the asset pair of a symbol (``BTC-USDT``), or the instrument of a key (``venue:symbol``).

    Raises Instrument.DoesNotExist.
    """
    return market.get_instrument(key=symbol if ":" in symbol else f"pair:{symbol}")


def delayed(*, instrument: Instrument, now: dt.datetime) -> dt.datetime:
    """Return the end of the hour that is shown; raises NothingToDrawError where nothing is that old."""
    span = market.stored_span(instrument_id=instrument.pk)
    hour = moment(epoch_ms(now - DELAY) // HOUR_MS * HOUR_MS)
    if span is None or span[0] >= hour:
        raise still.NothingToDrawError(instrument.key)
    return min(span[1], hour)


def describe(*, symbol: str, now: dt.datetime) -> Shown:
    """Return the words beside a picture. Raises as the picture does."""
    instrument = find(symbol=symbol)
    as_of = delayed(instrument=instrument, now=now)
    simulated = "Simulated market. " if instrument.is_simulated else ""
    return Shown(
        symbol=symbol,
        title=f"{instrument.base}-{instrument.quote}, {naming.venue_label(instrument)}",
        as_of_text=f"{figures.moment(as_of)} UTC",
        caption=f"{simulated}Estimated liquidation density, an hour late or more. Not exchange data, no forecast.",
        key=instrument.key,
    )


def first(*, now: dt.datetime) -> Shown | None:
    """Return what the landing page shows, chosen anew each five minutes; None where nothing is to be shown.

    That there is nothing is not kept: a new installation shows its first map as soon as it has one.
    """
    slot = f"heatmaps:first:{epoch_ms(now) // STEP_MS}"
    kept: str | None = cache.get(slot)
    if not kept and (kept := _first(now)):
        cache.set(slot, kept, _KEEP_SECONDS)
    return describe(symbol=kept, now=now) if kept else None


def _first(now: dt.datetime) -> str:
    """Choose the pair with the largest open interest, else the instrument; real ones before simulated ones."""
    lines = [one for one in queries.screen(choice=queries.Choice(), now=now) if one.standing and one.last]
    lines.sort(key=lambda one: (one.instrument.is_simulated, bool(one.reason), not one.instrument.is_pair))
    for line in lines:
        symbol = line.instrument.symbol if line.instrument.is_pair else line.instrument.key
        with suppress(still.NothingToDrawError):
            describe(symbol=symbol, now=now)
            return symbol
    return ""


def picture_of(*, symbol: str, theme: Theme, width: int, now: dt.datetime) -> tuple[bytes, str]:
    """Return the PNG and an entity tag; drawn once for each hour.

    Raises Instrument.DoesNotExist and NothingToDrawError.
    """
    instrument = find(symbol=symbol)
    as_of = delayed(instrument=instrument, now=now)
    heatmap = queries.get_heatmap(instrument_id=instrument.pk)
    state = f"public|{instrument.pk}|{theme}|{width}|{as_of.isoformat()}|{heatmap.revision if heatmap else 0}"
    tag = hashlib.sha256(state.encode()).hexdigest()[:24]
    body: bytes | None = cache.get(f"heatmaps:picture:{tag}")
    if body is None:
        scene = still.past_scene(instrument=instrument, heatmap=heatmap, theme=theme, width=width, at=as_of)
        body = picture.draw(scene=scene, theme=theme, width=width, height=still.HEIGHTS[width])
        cache.set(f"heatmaps:picture:{tag}", body, _KEEP_SECONDS)
    return body, tag
