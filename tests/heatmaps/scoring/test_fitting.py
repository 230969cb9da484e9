from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from heatmaps.core.worlds.market import START_MS, START_PRICE, Tape, simulate
from heatmaps.core.worlds.world import WORLDS
from heatmaps.models import ScoreRun
from heatmaps.operations.scoring import score
from heatmaps.pages import scorecard
from market.operations import store
from market.series import HOUR_MS, LIQUIDATION, LIQUIDATION_TOTAL, MINUTE_MS
from tests.factories import make_instrument
from tests.heatmaps.markets import LATE, put

if TYPE_CHECKING:
    from market.models import Instrument

pytestmark = pytest.mark.django_db


CAPTURED = 0.4


@pytest.fixture(scope="module")
def tape() -> Tape:
    return simulate(WORLDS["base"], np.random.default_rng(2), days=13, every=1440)


@pytest.fixture
def market(tape: Tape) -> Instrument:
    instrument = make_instrument()
    put(instrument, tape.window)
    keep_prints(instrument, tape)
    return instrument


def keep_prints(instrument: Instrument, tape: Tape, *, share: float = 1.0) -> np.ndarray:  # type: ignore[type-arg]  # LIQUIDATION
    """Store all prints, or a random share of them; return all."""
    rows = np.zeros(len(tape.prints), LIQUIDATION)
    rows["time"] = START_MS + tape.prints["minute"] * MINUTE_MS + 1
    rows["position_side"] = 1 - 2 * tape.prints["side"]
    rows["price"], rows["quantity"] = START_PRICE * np.exp(tape.prints["level"]), tape.prints["quantity"]
    rows["ordinal"] = np.arange(len(rows))
    kept = np.random.default_rng(5).random(len(rows)) < share
    store(instrument_id=instrument.pk, series="liquidations", rows=rows[kept], now=LATE)
    return rows


def keep_totals(instrument: Instrument, rows: np.ndarray) -> None:  # type: ignore[type-arg]  # LIQUIDATION
    """Store what was liquidated by hours and sides."""
    hours, place = np.unique(rows["time"] // HOUR_MS * HOUR_MS, return_inverse=True)
    totals = np.zeros(len(hours), LIQUIDATION_TOTAL)
    totals["open_time"] = hours
    for name, side in (("long_usd", 1), ("short_usd", -1)):
        mine = rows["position_side"] == side
        totals[name] = np.bincount(place[mine], (rows["price"] * rows["quantity"])[mine], len(hours))
    store(instrument_id=instrument.pk, series="liquidation_totals", rows=totals, timeframe=3600, now=LATE)


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


def test_a_thinned_feed_tells_its_capture_beside_hourly_totals(market: Instrument, tape: Tape) -> None:
    whole = score(key=market.key, against="fit", now=LATE)
    thinned = make_instrument(symbol="ETHUSDT")
    put(thinned, tape.window)
    keep_totals(thinned, keep_prints(thinned, tape, share=CAPTURED))
    run = score(key=thinned.key, against="fit", now=LATE)
    found = {row["measure"]: row for row in run.rows}
    assert found["capture"]["value"] == pytest.approx(CAPTURED, rel=0.1)
    assert found["capture"]["low"] < found["capture"]["value"] < found["capture"]["high"]
    share = found["scale"]["value"] / found["capture"]["value"]
    assert found["liquidated-share"]["value"] == pytest.approx(share)
    assert "capture" not in {row["measure"] for row in whole.rows}
    assert run.data_sha256 != whole.data_sha256
    rows = {row.run: row for row in scorecard.load().fits}
    assert [rows[one.pk].data for one in (run, whole)] == [run.data_sha256, whole.data_sha256]
    assert rows[run.pk].is_promotable == run.settings["is_promotable"]
    assert rows[whole.pk].capture_text == "—"


def test_fit_without_enough_says_what_is_missing() -> None:
    with pytest.raises(CommandError, match="There is no instrument 'x:y'"):
        call_command("fit", "x:y")
