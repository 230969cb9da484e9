"""Fifty logins a second with wrong passwords: pages answer within twice what they take when it is quiet.

    python -m tests.campaigns.flood --seconds 60

Starts ``up`` without venues, with the real hasher, behind one proxy that this module plays: each login comes from
another made-up network and tries another address. Two pages of a stranger and the operator's terminal are asked for at
a steady pace, whether or not the answer before has come; first alone, then while the logins arrive from a process of
their own. Everything is on loopback. Quiet and flooded take turns, so that what the machine does beside meets both.
How many times as slow p99 is comes with a bootstrap interval; ``--keep FILE`` adds up the answers of several runs,
``--beside N`` keeps so many processors busy with something else, as on a machine that has other work.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import numpy as np

from tests.operations.installation import installed
from tests.running import children, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from tests.operations.installation import Installation

PAGES: Final = {"landing": "/", "tool": "/tools/size/", "terminal": "/t/simulated:SIMBTC-USDT/"}
LOGINS_A_SECOND: Final = 50.0
# Of all pages together, so that they leave the site at rest.
PAGES_A_SECOND: Final = 6.0
WARM: Final = 20
PATIENCE_S: Final = 60.0
TIMES: Final = 2.0
# Of quiet and flooded each; and how many redraws make the interval.
TURNS: Final = 3
REDRAWS: Final = 2_000
# At rest is who needs less than this share of a processor for so long [s].
RESTING, REST_S = 0.15, 3.0


async def ask(port: int, path: str, *, cookie: str = "", form: dict[str, str] | None = None, origin: str = "") -> Any:  # noqa: ANN401  # status, headers and body
    """Send one request on a connection of its own; return status, head and body."""
    body = urlencode(form).encode() if form is not None else b""
    lines = [f"{'GET' if form is None else 'POST'} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Cookie: {cookie}"] * bool(cookie) + [f"X-Forwarded-For: {origin or '192.0.2.1'}"]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await reader.read(-1)
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head.decode(), content.decode(errors="replace")


def cookies_of(head: str) -> str:
    return "; ".join(re.findall(r"(?im)^set-cookie: ([^;\r\n]+)", head))


async def steadily(a_second: float, count: int, act: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Begin ``count`` acts at so many a second, whether or not those before have ended; wait for all."""
    begun = time.perf_counter()
    running: list[asyncio.Task[None]] = []
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number / a_second - time.perf_counter()))
        running.append(asyncio.create_task(act(number)))
    await asyncio.wait_for(asyncio.gather(*running), PATIENCE_S)


async def pages(port: int, session: str, count: int) -> dict[str, list[float]]:
    """Ask for the pages in turn; return how long each answer took, by page [ms]."""
    took: dict[str, list[float]] = {name: [] for name in PAGES}

    async def look(number: int) -> None:
        name = list(PAGES)[number % len(PAGES)]
        begun = time.perf_counter()
        status, _, _ = await ask(port, PAGES[name], cookie=session if name == "terminal" else "")
        took[name].append((time.perf_counter() - begun) * 1000)
        assert status == 200, (name, status)

    await steadily(PAGES_A_SECOND, count, look)
    return took


async def logins(port: int, count: int, seed: int) -> Counter[int]:
    """Try passwords; return the answers by their status."""
    chance, answers = random.Random(seed), Counter[int]()
    _, head, page = await ask(port, "/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    hidden, cookie = {"csrfmiddlewaretoken": token[1]}, cookies_of(head)

    async def knock(number: int) -> None:
        form = {**hidden, "login": f"somebody{number}@example.com", "password": f"a wrong phrase {number}"}
        origin = ".".join(str(chance.randrange(1, 255)) for _ in range(4))
        status, _, _ = await ask(port, "/login/", cookie=cookie, form=form, origin=origin)
        answers[status] += 1

    await steadily(LOGINS_A_SECOND, count, knock)
    return answers


def flood(port: int, count: int, seed: int, told: Any) -> None:  # noqa: ANN401  # the end of a pipe
    """Run the logins in a process of their own."""
    told.send(asyncio.run(logins(port, count, seed)))


def add(one: dict[str, list[float]], other: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: [*one.get(name, []), *other.get(name, [])] for name in PAGES}


def summary(took: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    cuts = {name: np.quantile(times, (0.5, 0.99)).round(1).tolist() for name, times in took.items()}
    return {name: {"n": len(took[name]), "p50": p50, "p99": p99} for name, (p50, p99) in cuts.items()}


def compare(quiet: dict[str, list[float]], flooded: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    """Return how many times as slow p99 is, with a 95 % interval: by page, and of all in units of their medians."""

    def units(took: dict[str, list[float]]) -> list[float]:
        return [time / np.median(quiet[name]) for name in PAGES for time in took[name]]

    pairs = {name: (quiet[name], flooded[name]) for name in PAGES} | {"all": (units(quiet), units(flooded))}
    return {name: {"times": _times(*pair), "interval": _interval(*pair)} for name, pair in pairs.items()}


def _times(quiet: Any, flooded: Any) -> float:  # noqa: ANN401  # anything that numpy takes for numbers
    return round(float(np.quantile(flooded, 0.99) / np.quantile(quiet, 0.99)), 2)


def _interval(quiet: list[float], flooded: list[float]) -> list[float]:
    chance = np.random.default_rng(0)
    redrawn = [_times(chance.choice(quiet, len(quiet)), chance.choice(flooded, len(flooded))) for _ in range(REDRAWS)]
    return [round(float(end), 2) for end in np.quantile(redrawn, (0.025, 0.975))]


async def enter(port: int, link: str) -> str:
    """Spend the operator's link; return the session's cookies."""
    _, head, page = await ask(port, link)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    _, inside, _ = await ask(port, link, cookie=cookies_of(head), form={"csrfmiddlewaretoken": token[1]})
    return cookies_of(inside)


def worked(pids: Iterable[int]) -> float:
    """Return how long processes have kept a processor busy [s]."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for_rest(site: Installation) -> None:
    """Wait until what is built after a start is built."""

    def is_idle() -> bool:
        pids = list(site.processes())
        before = worked(pids)
        time.sleep(REST_S)
        return worked(pids) - before < REST_S * RESTING

    wait_for(is_idle, what="rest after the start", within=120)


class Machine:
    """What the machine's processors did meanwhile, and who beside this campaign kept them busy."""

    def __init__(self, site: Installation) -> None:
        self._site = site
        self._began, self._busy, self._own = time.monotonic(), *self._now()

    def others(self) -> float:
        """Return how many processors all other programs, and other guests of the host, took."""
        busy, own = self._now()
        return round((busy - self._busy - (own - self._own)) / (time.monotonic() - self._began), 2)

    def _now(self) -> tuple[float, float]:
        user, nice, system, _, _, *rest = (int(part) for part in Path("/proc/stat").read_text().split()[1:9])
        mine = {os.getpid(), *children(os.getpid())} | set(self._site.processes())
        return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK"), worked(mine)


def flooded_pages(port: int, session: str, count: int, seed: int) -> tuple[dict[str, list[float]], Counter[int]]:
    """Ask for the pages while logins arrive; return their times [ms] and what the logins were answered."""
    heard, told = multiprocessing.Pipe()
    # A second before and after, so that no page is asked for without them.
    logins_count = round(LOGINS_A_SECOND * (count / PAGES_A_SECOND + 2))
    attack = multiprocessing.Process(target=flood, args=(port, logins_count, seed, told), daemon=True)
    attack.start()
    time.sleep(1)
    took = asyncio.run(pages(port, session, count))
    assert heard.poll(PATIENCE_S), "the logins were not answered"
    attack.join()
    return took, heard.recv()


def burn() -> None:
    while True:
        pass


def campaign(place: Path, *, seconds: float, seed: int, beside: int) -> dict[str, Any]:
    """Measure both in turns; return the times [ms] and the answers of the logins."""
    quiet: dict[str, list[float]] = {}
    flooded: dict[str, list[float]] = {}
    answers = Counter[int]()
    count = round(PAGES_A_SECOND * seconds / TURNS)
    with installed(place / "data") as site:
        site.begin_and_wait(BH_TRUSTED_PROXY_COUNT="1")
        port, session = site.port, asyncio.run(enter(site.port, site.login_link()))
        asyncio.run(pages(port, session, WARM))
        wait_for_rest(site)
        machine = Machine(site)
        others = [multiprocessing.Process(target=burn, daemon=True) for _ in range(beside)]
        for one in others:
            one.start()
        for turn in range(TURNS):
            quiet = add(quiet, asyncio.run(pages(port, session, count)))
            took, said = flooded_pages(port, session, count, seed * TURNS + turn)
            flooded, answers = add(flooded, took), answers + said
        kept_busy = machine.others()
        for one in others:
            one.kill()
    return {"quiet": quiet, "flooded": flooded, "logins": dict(sorted(answers.items())), "others": [kept_busy]}


def kept(path: Path | None, run: dict[str, Any]) -> dict[str, Any]:
    """Add a run to those that a file holds; return all of them together."""
    if path is None:
        return run
    if path.exists():
        before = json.loads(path.read_text())
        logins = Counter({int(status): count for status, count in before["logins"].items()}) + Counter(run["logins"])
        run = {**{name: add(before[name], run[name]) for name in ("quiet", "flooded")},
               "logins": dict(sorted(logins.items())), "others": before["others"] + run["others"]}  # fmt: skip
    path.write_text(json.dumps(run))
    return run


def main() -> None:
    """Print the figures as JSON; leave with 1 where a page takes more than twice as long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bh-flood-") as place:
        run = campaign(Path(place), seconds=chosen.seconds, seed=chosen.seed, beside=chosen.beside)
    run = kept(chosen.keep, run)
    times = compare(run["quiet"], run["flooded"])
    figures = {"quiet": summary(run["quiet"]), "flooded": summary(run["flooded"]), "times": times}
    sys.stdout.write(json.dumps({**figures, "logins": run["logins"], "others": run["others"]}, indent=1) + "\n")
    slow = [name for name in PAGES if times[name]["times"] > TIMES]
    sys.exit(f"More than {TIMES} times as slow: {', '.join(slow)}" if slow else 0)


if __name__ == "__main__":
    main()
