"""What a product has stored, as digests: natural keys and values in order, without ids and times of writing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.campaigns.stage import Stage

_END: Final = "to_timestamp(%(end_s)s)"
_BARS: Final = f"""SELECT i.symbol, timeframe, open_time, open, high, low, close, volume, quote_volume, taker_buy_volume
    FROM market_bar JOIN market_instrument AS i ON i.id = instrument_id
    WHERE price_kind = %(kind)s AND open_time < {_END} ORDER BY 1, 2, 3"""  # a constant
_COVERED: Final = f"""SELECT i.symbol, c.series, c.timeframe, start_at, least(end_at, {_END})
    FROM market_coverage AS c JOIN market_instrument AS i ON i.id = instrument_id
    WHERE c.series = 'bars' AND start_at < {_END} ORDER BY 1, 2, 3, 4"""  # a constant
_MAPS: Final = """heatmaps_heatmap AS m JOIN market_instrument AS i ON i.id = m.instrument_id
    JOIN heatmaps_estimatorrelease AS r ON r.id = m.release_id AND r.slug = 'open-interest'"""
_STATE: Final = """z.state, z.cause, z.other_number, z.tested_at, z.price_low, z.price_high, z.price_peak, z.usd,
    z.usd_low, z.usd_high, z.usd_peak, z.deposited, z.closed, z.swept, z.moved"""
QUERIES: Final[Mapping[str, str]] = {
    "bars": _BARS.replace("%(kind)s", "0"),
    "mark_bars": _BARS.replace("%(kind)s", "1"),
    "open_interest": f"""SELECT i.symbol, time, open_interest, open_interest_value, mark_price
        FROM market_openinterest JOIN market_instrument AS i ON i.id = instrument_id
        WHERE time <= {_END} ORDER BY 1, 2""",  # a constant
    "funding": f"""SELECT i.symbol, time, rate, interval_s
        FROM market_fundingrate JOIN market_instrument AS i ON i.id = instrument_id
        WHERE time <= {_END} ORDER BY 1, 2""",  # a constant
    "coverage": _COVERED,
    "tiles": f"""SELECT i.symbol, r.version, t.level, t.row, t.col, encode(sha256(t.body), 'hex')
        FROM heatmaps_tile AS t JOIN {_MAPS} ON m.id = t.heatmap_id ORDER BY 1, 2, 3, 4, 5""",  # as above
    "zones": f"""SELECT i.symbol, r.version, z.number, position_side, born_at, z.ended_at, last_seen_at, {_STATE},
            evidence_sha256, z.input_digest
        FROM heatmaps_zone AS z JOIN {_MAPS} ON m.id = z.heatmap_id ORDER BY 1, 2, 3""",  # as above
    "zone_events": f"""SELECT i.symbol, r.version, z.number, e.number, e.at, e.kind, {_STATE.replace("z.", "e.")}
        FROM heatmaps_zoneevent AS e JOIN heatmaps_zone AS z ON z.id = e.zone_id JOIN {_MAPS} ON m.id = z.heatmap_id
        ORDER BY 1, 2, 3, 4""",  # as above
}


class Content(NamedTuple):
    """Each table's rows as lines of text."""

    tables: dict[str, list[str]]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: len(lines) for name, lines in self.tables.items()}

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each table."""
        return {name: hashlib.sha256("\n".join(lines).encode()).hexdigest() for name, lines in self.tables.items()}

    @property
    def digest(self) -> str:
        """SHA-256 of all."""
        return hashlib.sha256("\n".join(f"{key} {value}" for key, value in self.digests.items()).encode()).hexdigest()

    def beside(self, other: Content) -> dict[str, list[str]]:
        """Return the first lines that only one of both has, by table; empty where they are the same."""
        found = {}
        for name, lines in self.tables.items():
            mine, theirs = set(lines), set(other.tables[name])
            apart = [f"- {line}" for line in sorted(mine - theirs)[:5]] + [
                f"+ {line}" for line in sorted(theirs - mine)[:5]
            ]
            if lines != other.tables[name]:
                found[name] = apart
        return found


def content_of(stage: Stage) -> Content:
    """Read what a settled product has stored until the end of the play."""
    values = {"end_s": stage.play.until_ms / 1000}
    return Content({name: [repr(row) for row in stage.rows(sql, values)] for name, sql in QUERIES.items()})
