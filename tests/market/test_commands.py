from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from market import benchmark
from market.models import Coverage, Instrument, Quarantine
from market.operations import importing
from market.series import validate
from market.sources.files import read_file

from .files import CANDLES, candle, text, write

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from market.sources.files import Piece

pytestmark = pytest.mark.django_db


def run(*paths: Path, key: str = "binance:BTCUSDT", **options: object) -> str:
    out = io.StringIO()
    call_command("import_history", *paths, instrument=[key], stdout=out, **options)
    return out.getvalue()


def test_import_history_sums_up_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "BTCUSDT-a-5m.csv", text(CANDLES, candle(0), candle(1), "x"))
    write(tmp_path / "BTCUSDT-b-5m.csv", text(CANDLES, candle(1), candle(3)))
    lines = run(tmp_path).splitlines()
    assert [line.rsplit(maxsplit=1)[0].split() for line in lines[1:4]] == [
        ["BTCUSDT-a-5m.csv", "2", "0", "0", "1"],
        ["BTCUSDT-b-5m.csv", "1", "1", "0", "0"],
        ["total", "3", "1", "0", "1"],
    ]
    assert lines[4:] == [
        "",
        "Quarantined, 1 lines:",
        "  BTCUSDT-a-5m.csv:4: 1 fields instead of 6",
        "",
        "Stored of binance:BTCUSDT (UTC):",
        "  bars                  5 m  2026-01-15 00:00 to 2026-01-15 00:10",
        "  bars                  5 m  2026-01-15 00:15 to 2026-01-15 00:20",
        "",
        "Next: python3 manage.py build_heatmap binance:BTCUSDT",
    ]
    assert capsys.readouterr().err.splitlines() == ["[1/2] BTCUSDT-a-5m.csv", "[2/2] BTCUSDT-b-5m.csv"]


def test_import_history_fails_aloud_when_a_file_was_refused(tmp_path: Path) -> None:
    write(tmp_path / "BTCUSDT-a-5m.csv", text("a,b", "1,2"))
    write(tmp_path / "BTCUSDT-b-5m.csv", text(CANDLES, candle(0)))
    with pytest.raises(
        CommandError, match=r"Nothing was imported of:\n- binance:BTCUSDT: BTCUSDT-a-5m.csv: the columns"
    ):
        run(tmp_path)
    assert Coverage.objects.count() == 1


def test_import_history_says_what_comes_next_when_only_a_part_came_in(tmp_path: Path) -> None:
    write(tmp_path / "BTCUSDT-a-5m.csv", text("a,b", "1,2"))
    write(tmp_path / "BTCUSDT-b-5m.csv", text(CANDLES, candle(0)))
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was imported of"):
        call_command("import_history", tmp_path, instrument=["binance:BTCUSDT"], stdout=out)
    assert out.getvalue().splitlines()[-1] == "Next: python3 manage.py build_heatmap binance:BTCUSDT"


def test_import_history_says_from_when_the_map_is_out_of_date(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1), candle(2)))
    run(path)
    write(path, text(CANDLES, candle(0), candle(1, "10,12,9,11.5,5"), candle(2), candle(3)))
    assert run(path).splitlines()[-1].endswith("build_heatmap binance:BTCUSDT --from 2026-01-15T00:05Z")
    assert run(path).splitlines()[-1].endswith("build_heatmap binance:BTCUSDT")


def test_follow_makes_the_instruments_of_a_source() -> None:
    out = io.StringIO()
    call_command("follow", "simulated", stdout=out)
    assert out.getvalue().splitlines()[0] == "simulated:SIMBTC-USDT is fetched each minute"
    assert list(Instrument.objects.order_by("pk").values_list("is_live", flat=True)) == [True, True]
    with pytest.raises(CommandError, match="no source called 'nope'"):
        call_command("follow", "nope")


def test_import_history_says_what_is_wrong_with_the_request(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist; give a file or a directory"):
        run(tmp_path / "missing.csv")


@pytest.mark.parametrize("size", ["0", "-1", "x", "nan"])
def test_import_history_refuses_a_size_that_is_none(tmp_path: Path, size: str) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0)))
    with pytest.raises(CommandError, match="tick-size"):
        call_command("import_history", str(path), "--instrument=binance:BTCUSDT", f"--tick-size={size}")


def test_bench_import_prints_figures_and_cleans_up() -> None:
    out = io.StringIO()
    call_command("bench", "import", rows=2_000, json=True, stdout=out)
    figures = json.loads(out.getvalue())
    assert list(figures) == [
        "rows",
        "new_rows_per_s",
        "unchanged_rows_per_s",
        "copy_rows_per_s",
        "new_to_copy",
        "unchanged_to_copy",
    ]
    assert figures["rows"] == 2_000
    assert all(figure > 0 for figure in figures.values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM market_bar")
        assert cursor.fetchone() == (0,)
    assert (Instrument.objects.count(), Coverage.objects.count(), Quarantine.objects.count()) == (0, 0, 0)


def test_bench_import_refuses_figures_of_a_failed_import(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "as_csv", lambda _bars: text(CANDLES, "x"))
    with pytest.raises(RuntimeError, match="the import went wrong"):
        benchmark.run(options={"rows": 100, "now": now})
    assert Instrument.objects.count() == 0


def test_made_up_bars_can_be_true(now: dt.datetime) -> None:
    bars = benchmark.made_up_bars(rows=500, now=now)
    assert validate(bars, now_ms=int(now.timestamp() * 1000), timeframe=60).rejected == ()


def test_import_history_sums_up_what_was_done_before_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: Path, **settings: Any) -> Iterator[Piece]:  # noqa: ANN401  # what read_file takes
        if path.name.startswith("BTCUSDT-b"):
            raise KeyboardInterrupt
        return read_file(path, **settings)

    monkeypatch.setattr(importing, "read_file", interrupt)
    for name in ("BTCUSDT-a-5m.csv", "BTCUSDT-b-5m.csv"):
        write(tmp_path / name, text(CANDLES, candle(0)))
    out = io.StringIO()
    with pytest.raises(CommandError, match="Finished files stay imported") as end:
        call_command("import_history", tmp_path, instrument=["binance:BTCUSDT"], stdout=out)
    assert end.value.returncode == 130
    assert [line.split()[:2] for line in out.getvalue().splitlines()[1:]] == [["BTCUSDT-a-5m.csv", "1"], ["total", "1"]]
