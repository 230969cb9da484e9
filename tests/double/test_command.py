"""The command that a developer starts: a process of its own that needs no database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Final
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from bhweb import clock
from tests.running import ROOT

START_MS: Final = 1_764_547_200_000
AWAY: Final = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


def test_venue_double_tells_how_to_reach_it_and_ends_when_interrupted() -> None:
    argv = [sys.executable, "manage.py", "venue_double", "--speed", "60", "--synthetic", "2", "--fault", "banned@okx"]
    with subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **AWAY}, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = [program.stdout.readline().strip() for _ in range(3)]
        settings = dict(line.split("=", 1) for line in told[1:])
        following = clock.read(settings["BH_CLOCK"])
        with urlopen(f"{settings['BH_VENUES_URL']}/binance/fapi/v1/time", timeout=10) as answer:
            venue_ms = json.load(answer)["serverTime"]
        ours_ms = following.now().timestamp() * 1000 if following else 0
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=10) == 130
    assert "2 on binance, 2 on binance-coin-m, 2 on bybit, 2 on okx, 2 on hyperliquid" in told[0]
    assert abs(venue_ms - ours_ms) < 60 * 1000
    assert 0 <= venue_ms - START_MS < 60 * 1000 * 60
    assert settings["BH_CLOCK"].startswith("2025-12-01T00:00:00+00:00@")
    assert abs(float(settings["BH_CLOCK"].split("@")[1].split("x")[0]) - time.time()) < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"speed": 601}, "--speed must lie between 1 and 600."),
        ({"start": "yesterday"}, "--from must look like 2025-12-01 or 2025-12-01T12:00, not 'yesterday'."),
        ({"fault": ["no_such"]}, "There is no fault 'no_such'; there are ack_missing, banned"),
        ({"history": ROOT / "docs"}, "has no files like BTCUSDT-candles-5m.csv.gz"),
    ],
)
def test_venue_double_says_what_to_change(options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("venue_double", **options)
    assert message in str(caught.value)
