"""What a plan freezes of the market around it: every layer and the hour's true range, in values that JSON keeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from heatmaps.core.layers import load_layer
from heatmaps.core.structure import ATR_BARS, average_true_range
from heatmaps.queries.layers import read_layers
from heatmaps.queries.zones import decimal_text
from market.series import epoch_ms

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.core.layers import Reading
    from market.models import Instrument

# The mean over so many hours settles after some times its length.
_MEMORY: Final = 10 * ATR_BARS


def layer_evidence(*, instrument: Instrument, at: dt.datetime) -> dict[str, Any]:
    """Return the layers as of the last whole hour: text, integers and None only.

    ``atr``: hourly true range, mean of ATR_BARS [quote], None where bars lack. Of each layer its value or word, what it
    measures, its percentile, and the reason where it has none.
    """
    view = read_layers(instrument=instrument, at=at)
    hours = view.hours.part(max(0, len(view.hours) - _MEMORY), len(view.hours))
    return {
        "as_of_ms": epoch_ms(view.at),
        "atr": _text(float(average_true_range(hours.high, hours.low, hours.close)[-1])),
        "layers": {slug: _told(slug, reading) for slug, reading in view.readings.items()},
    }


def _told(slug: str, reading: Reading) -> dict[str, Any]:
    layer, value = load_layer(slug), float(reading.values[-1])
    is_word = layer.kind == "state" and math.isfinite(value)
    return {
        "title": layer.title,
        "unit": "" if is_word else layer.unit,
        "note": "" if is_word else layer.note,
        "digits": layer.digits,
        "value": layer.states[int(value)] if is_word else _text(value),
        "percentile": _text(float(reading.percentiles[-1])),
        "numbers": {name: _text(number) for name, number in reading.numbers.items()},
        "reason": reading.reason,
    }


def _text(value: float) -> str | None:
    return decimal_text(value) if math.isfinite(value) else None
