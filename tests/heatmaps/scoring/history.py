"""Real history as the product's own import brings it in."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any, Final

from django.core.management import call_command

from tests.history import HISTORY

KEY: Final = "binance:BTCUSDT"
SPAN: Final = ("--from", "2025-12-01", "--to", "2026-01-26")


def import_history(key: str = KEY) -> None:
    """Bars, open interest, funding and, of BTC, hourly totals; without the months before, as first measured."""
    symbol = key.partition(":")[2]
    names = [f"{symbol}-candles-5m", f"{symbol}-open-interest-5m", f"{symbol}-funding-8h"]
    files = [HISTORY / f"{name}.csv.gz" for name in names]
    files += sorted(HISTORY.glob(f"{symbol.removesuffix('USDT')}-liquidations-1h-*.csv.gz"))
    call_command("import_history", *map(str, files), "--instrument", key, stdout=StringIO())


def score(*arguments: str) -> dict[str, Any]:
    """The run as JSON."""
    out = StringIO()
    call_command("score", KEY, *SPAN, *arguments, "--json", stdout=out)
    return dict(json.loads(out.getvalue()))


def values(run: dict[str, Any], **names: str) -> dict[tuple[str, str], float]:
    """(map, side) -> value of the rows with those names."""
    wanted = {"versus": "", **names}
    rows = [row for row in run["rows"] if all(row[name] == value for name, value in wanted.items())]
    return {(row["map"], row["side"]): row["value"] for row in rows}
