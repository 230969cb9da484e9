from __future__ import annotations

import gzip
import os
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from market.models import Bar, Coverage, Instrument, Quarantine
from market.operations import FileReport, ImportRequestError, Stored, ensure_instruments, import_files, importing
from market.sources.files import Limits, Piece, read_file
from tests.factories import make_instrument

from .files import CANDLES, candle, text, write, zipped
from .rows import after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db
KEY = "binance:BTCUSDT"
NOW = after(24 * 60)


def imported(path: Path, *, limits: Limits | None = None) -> FileReport:
    (report,) = import_files(keys=[KEY], paths=[path], now=NOW, limits=limits or Limits())
    return report


def truncated_gzip(path: Path) -> None:
    lines = text(CANDLES, *(candle(step) for step in range(280)))
    path.write_bytes(gzip.compress(lines, mtime=0)[:-200])


def damaged_gzip(path: Path) -> None:
    packed = bytearray(gzip.compress(text(CANDLES, *(candle(step) for step in range(280))), mtime=0))
    packed[-6] ^= 0xFF
    path.write_bytes(packed)


def truncated_zip(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0))})[:-30])


def damaged_zip(path: Path) -> None:
    # Stored, not packed, so that the damage is found by the checksum alone, after all rows were read.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("BTCUSDT-5m.csv", text(CANDLES, candle(0), candle(1)))
    path.write_bytes(path.read_bytes().replace(b"10,12,9,11,5", b"10,13,9,11,5", 1))


def encrypted_zip(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0))}))
    packed = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    path.write_bytes(packed)


def gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(text(CANDLES) + text(candle(0)) * 800_000, mtime=0))


def zip_bomb(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES) + text(candle(0)) * 800_000}))


def lying_zip(path: Path) -> None:
    """A bomb whose directory claims to be small."""
    zip_bomb(path)
    packed = bytearray(path.read_bytes())
    place = packed.index(b"PK\x01\x02") + 24
    packed[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(packed)


def empty_zip(path: Path) -> None:
    path.write_bytes(zipped({}))


def foreign_member(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0)), "ETHUSDT-5m.csv": text(CANDLES, candle(0))}))


def unknown_member(path: Path) -> None:
    path.write_bytes(zipped({"BTCUSDT-5m.csv": text(CANDLES, candle(0)), "readme.txt": b"hello\n"}))


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (truncated_gzip, "BTCUSDT-5m.csv.gz", "the archive is truncated"),
        (damaged_gzip, "BTCUSDT-5m.csv.gz", "the archive is truncated or damaged"),
        (truncated_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (damaged_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (encrypted_zip, "BTCUSDT-5m.zip", "can not be opened"),
        (gzip_bomb, "BTCUSDT-5m.csv.gz", "unpacks to more than 100 times its size"),
        (zip_bomb, "BTCUSDT-5m.zip", "unpacks to more than 100 times its size"),
        (lying_zip, "BTCUSDT-5m.zip", "the archive is truncated or damaged"),
        (empty_zip, "BTCUSDT-5m.zip", "holds no file"),
        (foreign_member, "BTCUSDT-5m.zip", "holds ETHUSDT-5m.csv, which is named for another symbol"),
        (unknown_member, "BTCUSDT-5m.zip", "the columns of readme.txt are not known"),
    ],
)
def test_import_refuses_an_archive_whole(tmp_path: Path, make: Callable[[Path], None], name: str, message: str) -> None:
    make(tmp_path / name)
    report = imported(tmp_path / name)
    assert message in report.refused
    assert (report.stored, report.faults) == (Stored(0, 0, 0), ())
    assert (Bar.objects.count(), Coverage.objects.count()) == (0, 0)
    kept = Quarantine.objects.get()
    assert (kept.series, kept.origin, kept.line, kept.reason) == ("file", name, 0, report.refused[:200])


def test_import_refuses_a_file_beyond_the_size_limit(tmp_path: Path) -> None:
    content = text(CANDLES, *(candle(step) for step in range(20)))
    path = write(tmp_path / "BTCUSDT-5m.csv", content)
    assert imported(path, limits=Limits(unpacked=len(content))).stored == Stored(20, 0, 0)
    assert "unpacks to more than" in imported(path, limits=Limits(unpacked=len(content) - 1)).refused


def test_import_refuses_a_file_of_too_many_faults(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0), "x", "y", "z"))
    assert len(imported(path, limits=Limits(faults=3)).faults) == 3
    Quarantine.objects.all().delete()
    report = imported(path, limits=Limits(faults=2))
    assert "more than 2 lines are not believed (line 3: 1 fields instead of 6)" in report.refused
    assert Quarantine.objects.get().line == 0


def test_import_refuses_a_file_named_for_another_symbol(tmp_path: Path) -> None:
    report = imported(write(tmp_path / "ETHUSDT-5m.csv", text(CANDLES, candle(0))))
    assert "is named for another symbol than BTCUSDT" in report.refused
    assert Bar.objects.count() == 0


def test_import_makes_no_instrument_of_refused_files_alone(tmp_path: Path) -> None:
    truncated_gzip(tmp_path / "BTCUSDT-5m.csv.gz")
    imported(tmp_path / "BTCUSDT-5m.csv.gz")
    assert (Instrument.objects.count(), Quarantine.objects.get().instrument) == (0, None)


def test_import_keeps_an_instrument_that_was_there_before(tmp_path: Path) -> None:
    pk = make_instrument().pk
    truncated_gzip(tmp_path / "BTCUSDT-5m.csv.gz")
    imported(tmp_path / "BTCUSDT-5m.csv.gz")
    assert Quarantine.objects.get().instrument_id == pk


def test_import_goes_on_after_a_refused_file(tmp_path: Path) -> None:
    truncated_gzip(tmp_path / "BTCUSDT-a-5m.csv.gz")
    write(tmp_path / "BTCUSDT-b-5m.csv", text(CANDLES, candle(0)))
    reports = import_files(keys=[KEY], paths=[tmp_path], now=NOW)
    assert [(bool(report.refused), report.stored.new) for report in reports] == [(True, 0), (False, 1)]


def test_import_refuses_a_file_without_rows(tmp_path: Path) -> None:
    report = imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES)))
    assert report.refused == "BTCUSDT-5m.csv: BTCUSDT-5m.csv has no rows after the header."
    assert Instrument.objects.count() == 0


def test_import_goes_on_after_an_error_nobody_foresaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(path: Path, **settings: Any) -> Iterator[Piece]:  # noqa: ANN401  # what read_file takes
        if path.name.startswith("BTCUSDT-a"):
            raise ZeroDivisionError("by zero")
        return read_file(path, **settings)

    monkeypatch.setattr(importing, "read_file", stumble)
    for name in ("BTCUSDT-a-5m.csv", "BTCUSDT-b-5m.csv"):
        write(tmp_path / name, text(CANDLES, candle(0)))
    first, second = import_files(keys=[KEY], paths=[tmp_path], now=NOW)
    assert first.refused == "BTCUSDT-a-5m.csv: can not be read (ZeroDivisionError: by zero)."
    assert (second.refused, second.stored) == ("", Stored(1, 0, 0))
    assert Quarantine.objects.get().reason == first.refused


def test_import_withdraws_the_instrument_when_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: object, **_settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "read_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        imported(write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0))))
    assert Instrument.objects.count() == 0


@pytest.mark.parametrize("is_there", [False, True])
def test_import_refuses_a_simulated_market(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        ensure_instruments(slug="simulated")
    path = write(tmp_path / "SIMBTC-USDT-5m.csv", text(CANDLES, candle(0)))
    with pytest.raises(ImportRequestError, match="simulated:SIMBTC-USDT is a simulated market"):
        import_files(keys=["simulated:SIMBTC-USDT"], paths=[path], now=NOW, may_be_live=True)
    assert (Instrument.objects.count(), Bar.objects.count()) == (2 * is_there, 0)


def test_import_asks_before_it_writes_into_a_live_market(tmp_path: Path) -> None:
    make_instrument(is_live=True)
    path = write(tmp_path / "BTCUSDT-5m.csv", text(CANDLES, candle(0)))
    with pytest.raises(ImportRequestError, match="binance:BTCUSDT is fetched live"):
        import_files(keys=[KEY], paths=[path], now=NOW)
    (report,) = import_files(keys=[KEY], paths=[path], now=NOW, may_be_live=True)
    assert report.stored == Stored(1, 0, 0)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"BTCUSDT-\xff-5m.csv", "BTCUSDT-\\udcff-5m.csv"),
        (b"BTCUSDT-\x1b[31m\n-5m.csv", "BTCUSDT-\\x1b[31m\\n-5m.csv"),
        ("BTCUSDT-\u202e-5m.csv".encode(), "BTCUSDT-\\u202e-5m.csv"),
    ],
)
@pytest.mark.parametrize("lines", [(CANDLES, candle(0), "x"), ("a,b", "1,2")])
def test_import_shows_strange_names_escaped(tmp_path: Path, name: bytes, shown: str, lines: tuple[str, ...]) -> None:
    path = write(tmp_path / os.fsdecode(name), text(*lines))
    report = imported(path)
    assert report.name == shown
    assert not report.refused or report.refused.startswith(f"{shown}: the columns of {shown} are not known: a,b\n")
    assert Quarantine.objects.get().origin == shown
