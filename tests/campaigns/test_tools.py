"""What a keystroke in a calculator costs the server: the whole way of a request but the wire."""

from __future__ import annotations

import os
import time
from statistics import quantiles
from typing import Final

import pytest
from django.test import Client

from risk.forms import TOOLS
from tests.factories import make_instrument, make_user
from tests.pages import client_of, light_services

__all__ = ["light_services"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(os.environ.get("BH_CAMPAIGNS") != "1", reason="goes by the clock: BH_CAMPAIGNS=1"),
]
KEYS: Final = 60
MOST_MS: Final = 30
# What is typed into, and what stands there after each keystroke.
TYPED: Final = {"expectancy": "results", "ruin": "win_rate", "drawdown": "losing_rate"}


@pytest.mark.parametrize("slug", list(TOOLS))
@pytest.mark.parametrize("who", ["stranger", "member"])
def test_each_keystroke_is_answered_at_once(slug: str, who: str) -> None:
    make_instrument(is_live=True)
    client = client_of(make_user()) if who == "member" else Client()
    name = TYPED.get(slug, "entry")
    took = []
    for key in range(KEYS + 10):
        record = "1.5 -1 0.4 " * 20 + f"{key / 100:.2f}"
        text = {"results": record, "entry": f"{60_000 + key}"}.get(name, f"{40 + key / 20}")
        given = {**TOOLS[slug].example, name: text}
        begun = time.perf_counter()
        answer = client.get(f"/tools/{slug}/", given, headers={"HX-Request": "true"})
        took.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, text
    cuts = quantiles(took[10:], n=100)
    print(f"{slug} ({who}): median {cuts[49]:.1f}, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f} ms")
    assert cuts[49] <= MOST_MS
