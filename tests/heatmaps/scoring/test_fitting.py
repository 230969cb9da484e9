from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.worlds.market import START_MS, START_PRICE, simulate
from heatmaps.core.worlds.world import WORLDS
from heatmaps.models import ScoreRun
from market.operations import store
from market.series import LIQUIDATION, MINUTE_MS
from tests.factories import make_instrument
from tests.heatmaps.markets import LATE, put

if TYPE_CHECKING:
    from market.models import Instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Instrument:
    tape = simulate(WORLDS["base"], np.random.default_rng(2), days=13, every=1440)
    instrument = make_instrument()
    put(instrument, tape.window)
    rows = np.zeros(len(tape.prints), LIQUIDATION)
    rows["time"] = START_MS + tape.prints["minute"] * MINUTE_MS + 1
    rows["position_side"] = 1 - 2 * tape.prints["side"]
    rows["price"], rows["quantity"] = START_PRICE * np.exp(tape.prints["level"]), tape.prints["quantity"]
    rows["ordinal"] = np.arange(len(rows))
    store(instrument_id=instrument.pk, series="liquidations", rows=rows, now=LATE)
    return instrument


def test_fit_is_kept_with_the_hash_of_its_data(market: Instrument) -> None:
    out = StringIO()
    call_command("fit", market.key, "--json", stdout=out)
    found, run = json.loads(out.getvalue()), ScoreRun.objects.get()
    assert (found["id"], run.against, run.subject, len(run.data_sha256)) == (run.pk, "fit", market.key, 64)
    measures = [row["measure"] for row in run.rows]
    assert measures == ["scale", "turnover", *["log-likelihood"] * 5, *["weight"] * 6, "deviance-gain"]
    assert run.rows[-1]["low"] <= run.rows[-1]["value"] <= run.rows[-1]["high"]
    assert run.settings["is_promotable"] == (run.rows[-1]["low"] > 0.0)
    assert run.settings["prints"] > 1000


def test_fit_without_enough_says_what_is_missing() -> None:
    with pytest.raises(CommandError, match="There is no instrument 'x:y'"):
        call_command("fit", "x:y")
