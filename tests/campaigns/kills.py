"""Processes of the product are killed at random while it replays: what it has stored in the end is what it would have.

    python -m tests.campaigns.kills --kills 50

The feed, both workers, the beat, Valkey and PostgreSQL are killed with SIGKILL in a seeded order. Then the venue's
time stands still, the product settles, and the SHA-256 over all bars, mark bars, open interest, funding, the ledger
of bars, and the tiles and zones of the open-interest map equals that of a product which nobody disturbed. Left out,
since nobody can ask for them afterwards: liquidations of a time when nobody listened, and depth. The former must be
marked as lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.campaigns.content import Content, content_of
from tests.campaigns.stage import START_MS, STEP_MS, Play, Stage, seeded_market, staged
from tests.double.tape import DAY, MINUTE
from tests.running import children, is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# By what its command line says.
VICTIMS: Final[Mapping[str, str]] = {
    "feed": "manage.py feed",
    "worker-live": "worker --queue live",
    "worker-backfill": "worker --queue backfill",
    "beat": "manage.py beat",
    "Valkey": "valkey-server",
    "PostgreSQL": "/postgres",
}
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
SPEED: Final = 60.0
# Long enough that there are zones.
HISTORY_MS: Final = 3 * DAY
# Until the product runs.
START_S: Final = 12.0
BACK_S: Final = 60.0


@dataclass
class Killer:
    """Kills in an order that the seed tells, each victim as often as the others."""

    stage: Stage
    seed: int
    pause_s: float
    killed: list[tuple[str, int]] = field(default_factory=list)
    victims: Mapping[str, str] = field(default_factory=lambda: VICTIMS)

    def kill(self, count: int) -> None:
        """Kill so many, with a pause before each; a victim that is not back yet is waited for."""
        for name, pause_s in self._order(count):
            time.sleep(pause_s)
            os.kill(self.wait_for(name), signal.SIGKILL)
            self.killed.append((name, self.stage.clock.now_ms()))

    def wait_until_back(self) -> None:
        """Wait until all run again."""
        for name in VICTIMS:
            self.wait_for(name)

    def wait_for(self, name: str) -> int:
        """Wait until a victim runs, and return its process id."""
        found = wait_for(lambda: self._find(name), what=f"{name} to be back", within=BACK_S)
        assert found is not None
        return found

    def _order(self, count: int) -> Iterator[tuple[str, float]]:
        chance, names = random.Random(self.seed), list(VICTIMS)
        for number in range(count):
            if number % len(names) == 0:
                chance.shuffle(names)
            yield names[number % len(names)], self.pause_s * chance.uniform(0.5, 1.5)

    def _find(self, name: str) -> int | None:
        """Find it among the supervisor's children."""
        assert self.stage.product.process
        for pid in children(self.stage.product.process.pid):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if self.victims[name] in command and is_alive(pid):
                return pid
        return None


def undisturbed(place: Path, *, until_ms: int, speed: float) -> Content:
    """Return what a product stores that is left alone."""
    with staged(place, Play(seeded_market(len(SYMBOLS)), SYMBOLS, until_ms, speed, HISTORY_MS)) as stage:
        stage.begin()
        stage.wait_for_play()
        stage.wait_until_settled()
        return content_of(stage)


def disturbed(place: Path, *, until_ms: int, speed: float, kills: int, seed: int) -> tuple[Content, dict[str, Any]]:
    """Return what a product stores of which processes are killed, and figures."""
    with staged(place, Play(seeded_market(len(SYMBOLS)), SYMBOLS, until_ms, speed, HISTORY_MS)) as stage:
        stage.begin()
        killer = Killer(stage, seed, pause_s(until_ms, speed, kills))
        killer.kill(kills)
        killer.wait_until_back()
        back_s = time.monotonic() - stage.clock.started
        stage.wait_for_play()
        began = time.monotonic()
        stage.wait_until_settled()
        content = content_of(stage)
        return content, {
            "killed": {name: sum(one == name for one, _ in killer.killed) for name in VICTIMS},
            "before_the_end": sum(at < until_ms for _, at in killer.killed),
            "all_back_s_before_end": round((until_ms - START_MS) / 1000 / speed - back_s, 1),
            "settled_s": round(time.monotonic() - began, 1),
            "quarantine": stage.count("market_quarantine"),
            "lost_liquidations": lost(stage),
        }


def pause_s(until_ms: int, speed: float, kills: int) -> float:
    """Return the mean pause before a kill, so that the last falls well before the end."""
    return ((until_ms - START_MS) / 1000 / speed - START_S) / (kills + 1)


def lost(stage: Stage) -> int:
    """Count the times in which nobody listened for liquidations; each must be marked as lost."""
    holes = stage.rows("SELECT state FROM market_hole WHERE series = 'liquidations'")
    assert {state for (state,) in holes} <= {"lost"}, holes
    return len(holes)


def campaign(place: Path, *, kills: int, seed: int, minutes: float, speed: float = SPEED) -> dict[str, Any]:
    """Run both products, one beside the other, and compare; raise AssertionError where their contents differ."""
    until_ms = START_MS + int(minutes * MINUTE * speed) // STEP_MS * STEP_MS
    (place / "left-alone").mkdir()
    (place / "killed").mkdir()
    with ThreadPoolExecutor(1) as beside:
        left_alone = beside.submit(undisturbed, place / "left-alone", until_ms=until_ms, speed=speed)
        found, figures = disturbed(place / "killed", until_ms=until_ms, speed=speed, kills=kills, seed=seed)
        known = left_alone.result()
    apart = found.beside(known)
    assert not apart, json.dumps({"apart": apart, **figures}, indent=1)
    assert min(known.counts.values()) > 0, known.counts
    return {**figures, "rows": found.counts, "digest": found.digest, "digest_undisturbed": known.digest}


def main() -> None:
    """Kill and print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--every", type=float, default=8.0, help="seconds between two kills")
    parser.add_argument("--speed", type=float, default=SPEED)
    chosen = parser.parse_args()
    minutes = (START_S + (chosen.kills + 1) * chosen.every) / 60
    with tempfile.TemporaryDirectory(prefix="bh-kills-") as place:
        figures = campaign(Path(place), kills=chosen.kills, seed=chosen.seed, minutes=minutes, speed=chosen.speed)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
