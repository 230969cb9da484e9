from __future__ import annotations

import datetime as dt
import json
import os
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from journal.models import Fill, Plan
from market.operations import store
from market.series import BAR, epoch_ms
from tests.journal.terms import NOW

if TYPE_CHECKING:
    from heatmaps.models import Zone


@pytest.mark.django_db
def test_bench_advances_plans_and_keeps_nothing(zone: Zone) -> None:
    bars = np.zeros(3, BAR)
    bars["open_time"] = epoch_ms(NOW - dt.timedelta(minutes=3)) + 60_000 * np.arange(3)
    for name, price in (("open", 60_000), ("high", 60_050), ("low", 59_950), ("close", 60_010)):
        bars[name] = price
    store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=60, now=NOW)
    out = StringIO()
    instrument = zone.heatmap.instrument.key
    call_command("bench", "settle", "--json", "--plans", "200", "--instrument", instrument, stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["plans"] == 200
    assert 0 < figures["plans_with_events"] < 20
    assert not Plan._base_manager.exists()


@pytest.mark.skipif(not os.environ.get("BH_CAMPAIGNS"), reason="a campaign")
def test_bench_advances_10_000_plans_in_a_database_of_its_own() -> None:
    out = StringIO()
    call_command("bench", "settle", "--json", stdout=out)
    figures = json.loads(out.getvalue())
    assert figures["plans"] == 10_000
    assert 0 < figures["plans_with_events"] < 1_000
    print(out.getvalue())


@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_bench_verifies_a_chain_and_keeps_nothing(zone: Zone) -> None:
    bars = np.zeros(1, BAR)
    bars["open_time"] = epoch_ms(NOW - dt.timedelta(minutes=1))
    for name in ("open", "high", "low", "close"):
        bars[name] = 60_000
    store(instrument_id=zone.heatmap.instrument_id, series="bars", rows=bars, timeframe=60, now=NOW)
    count = 100_000 if os.environ.get("BH_CAMPAIGNS") else 300
    out = StringIO()
    call_command("bench", "chain", "--json", "--entries", str(count), stdout=out)
    figures = json.loads(out.getvalue())
    assert (figures["entries"], figures["findings"]) == (count, 0)
    assert not Plan._base_manager.exists()
    print(out.getvalue())


@pytest.mark.django_db
def test_bench_says_what_it_needs() -> None:
    with pytest.raises(CommandError, match="No instrument with bars and a zone is stored"):
        call_command("bench", "chain")
    with pytest.raises(CommandError, match="There is no instrument 'x:Y'"):
        call_command("bench", "chain", "--instrument", "x:Y")


@pytest.mark.django_db
def test_bench_takes_a_file_in_and_keeps_nothing() -> None:
    count = 50_000 if os.environ.get("BH_CAMPAIGNS") else 200
    out = StringIO()
    call_command("bench", "trades", "--json", "--rows", str(count), stdout=out)
    figures = json.loads(out.getvalue())
    assert (figures["rows"], figures["new"], figures["refused"]) == (count, count, 0)
    assert not Fill._base_manager.exists()
    print(out.getvalue())
