"""Venues' files: every row accounted for, units and sides of each venue, and a clear word for what is not read."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import imports
from journal.imports import Fill, Reading

NOW = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
UTC = dt.UTC
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "journal-imports"

BINANCE = """Uid,Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID
7,26-05-22 16:25:18,BTCUSDT,BUY,100500.5,0.002,201.001,0.08040040 USDT,0,true,false,901,11
7,2026-05-22 16:30:00,BTCUSDT,SELL,100700,0.002,201.4,-0.01 BNB,0.399,false,true,902,12
"""
BYBIT_LOG = """\
UID: 7,Company Name: ,Country:
Uid,Currency,Contract,Type,Direction,Quantity,Position,Filled Price,Funding,Fee Paid,\
Cash Flow,Change,Wallet Balance,Action,OrderId,TradeId,Time(UTC)
7,USDT,ETHUSDT,TRADE,SELL,0.5,-0.5,4000.0,0,-1.1,0,-1.1,998.9,OPEN,o1,t1,2026-05-22 16:25:18
7,USDT,ETHUSDT,SETTLEMENT,SELL,0,-0.5,4001.0,0.2,0,0,0.2,999.1,SETTLEMENT,o2,t2,2026-05-23 00:00:00
"""
OKX = """\ufeffUID:7,Account Type:Trading,Time Zone:UTC+8
id,Order id,Time,Trade Type,Symbol,Action,Amount,Trading Unit,Filled Price,PnL,Fee,Fee Unit,\
Position Change,Position Balance,Balance Change,Balance,Balance Unit
31,900,2026-05-22 16:25:18,Swap,BTC-USDT-SWAP,Buy,3,cont,100500,0,-1.5,USDT,3,3,-1.5,998,USDT
32,901,2026-05-22 16:26:18,Spot,BTC-USDT,Buy,0.1,BTC,100500,0,-1.5,USDT,3,3,-1.5,998,USDT
"""
HYPERLIQUID = """time,coin,dir,px,sz,ntl,fee,closedPnl
25/05/2026 - 17:38:42,BTC,Open Short,100500,0.01,1005,0.45,-0.45
25/05/2026 - 17:38:42,BTC,Open Short,100500,0.01,1005,0.45,-0.45
25/05/2026 - 17:40:00,BTC,Close Short,100400,0.02,2008,0.9,1.1
25/05/2026 - 17:41:00,HYPE/USDC,Buy,40,1,40,0.02,0
"""


def read(text: str | bytes, *, zone: dt.tzinfo | None = None, order: str | None = None) -> Reading:
    table = imports.read_table(text.encode() if isinstance(text, str) else text)
    layout = imports.find_layout(table)
    assert layout is not None
    return imports.read_rows(table, layout, imports.find_style(table, layout, zone=zone, order=order), now=NOW)


def test_binance_in_the_zone_that_the_user_names() -> None:
    found = read(BINANCE, zone=ZoneInfo("Europe/Berlin"))
    assert found.fills == [
        Fill(
            line=2, symbol="BTCUSDT", at=dt.datetime(2026, 5, 22, 14, 25, 18, tzinfo=UTC), side=1,
            price=Decimal("100500.5"), quantity=Decimal("0.002"), fee=Decimal("0.08040040"), fee_unit="USDT",
            venue_fill_id="BTCUSDT:901", order_id="11", is_maker=False,
        ),
        Fill(
            line=3, symbol="BTCUSDT", at=dt.datetime(2026, 5, 22, 14, 30, tzinfo=UTC), side=-1,
            price=Decimal(100700), quantity=Decimal("0.002"), fee=Decimal("-0.01"), fee_unit="BNB",
            venue_fill_id="BTCUSDT:902", order_id="12", is_maker=True,
        ),
    ]  # fmt: skip


def test_bybits_log_says_its_zone_and_holds_more_than_trades() -> None:
    found = read(BYBIT_LOG)
    assert [(one.side, one.fee, one.venue_fill_id, one.at.hour) for one in found.fills] == [
        (-1, Decimal("1.1"), "t1", 16)
    ]
    assert found.passed_over == {"settlement row of the account's log": 1}


def test_okx_counts_contracts_in_its_own_zone() -> None:
    found = read(OKX)
    assert [(one.quantity, one.in_contracts, one.fee, one.at.hour) for one in found.fills] == [
        (Decimal(3), True, Decimal("1.5"), 8)
    ]
    assert found.passed_over == {"spot row": 1}


def test_equal_rows_of_hyperliquid_are_two_fills_with_lasting_names() -> None:
    found = read(HYPERLIQUID, zone=UTC)
    assert [(one.side, one.at.day) for one in found.fills] == [(-1, 25), (-1, 25), (1, 25)]
    names = [one.venue_fill_id for one in found.fills]
    assert len(set(names)) == 3
    assert [one.venue_fill_id for one in read(HYPERLIQUID, zone=UTC).fills] == names
    assert found.row_count == 4


def test_the_real_bybit_export_is_accounted_for_row_by_row() -> None:
    path = SAMPLES / "bybit-closed-pnl-sample.csv"
    if not path.exists():
        pytest.skip(f"{path} is missing: real exports are not part of the project")
    content = path.read_bytes()
    found = read(content)
    assert (len(found.closed), found.row_count, found.refused) == (36, 36, [])
    assert len({one.venue_fill_id for one in found.closed}) == 36
    for one in found.closed:
        move = one.side * (one.exit / one.entry - 1)
        if abs(move) > Decimal("0.003"):  # more than fees and rounded prices
            assert (move > 0) == (one.result > 0), one


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_endings_and_encodings_do_not_matter(ending: str, encoding: str) -> None:
    assert read(BINANCE.replace("\n", ending).encode(encoding), zone=UTC).fills == read(BINANCE, zone=UTC).fills


def test_semicolons_with_decimal_commas() -> None:
    text = BINANCE.replace(",", ";").replace(".", ",")
    assert read(text, zone=UTC).fills == read(BINANCE, zone=UTC).fills


def test_a_comma_that_may_be_either_is_asked_for() -> None:
    text = "time;symbol;side;price;quantity\n2026-05-01 10:00:00;BTCUSDT;buy;100,500;1\n"
    table = imports.read_table(text.encode())
    layout = imports.mapped({name: name for name in imports.NEEDED}, venue="binance")
    with pytest.raises(imports.FileRefusedError, match="decimal mark"):
        imports.find_style(table, layout, zone=UTC)
    prices = [
        imports.read_rows(table, layout, imports.find_style(table, layout, zone=UTC, comma=comma), now=NOW)
        .fills[0]
        .price
        for comma in (True, False)
    ]
    assert prices == [Decimal("100.500"), Decimal(100500)]


def zipped(*contents: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in enumerate(contents):
            archive.writestr(f"{place}.csv", content)
    return packed.getvalue()


def test_a_zip_archive_of_one_file_is_read() -> None:
    assert read(zipped(BINANCE.encode()), zone=UTC).fills == read(BINANCE, zone=UTC).fills


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "No header"),
        (b"a,b\n1,2\n", "No header"),
        (b"x" * (imports.MOST_BYTES + 1), "32 MB"),
        (b"Time,Symbol,Side\n" + b"x" * 30_000, "Line 2 has 30,000 characters"),
        (zipped(b"\0" * (imports.MOST_BYTES + 1)), "32 MB"),
        (zipped(b"a", b"b"), "holds 2 files"),
        (zipped(BINANCE.encode())[:-30], "cannot be opened"),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff", "UTF-8"),
        (b"Time,Price,Side,Price\n", "named 'Price'"),
        (",".join(f"c{place}" for place in range(101)).encode(), "101 columns"),
        (b"Time,Symbol,Side\x00\n", "bytes that no text has"),
        (b"a,b,c\n" + b"1,2,3\n" * (imports.MOST_ROWS + 1), "200,000 rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(content: bytes, word: str) -> None:
    with pytest.raises(imports.FileRefusedError, match=word):
        imports.read_table(content)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("Price", "=1+1", "Price '=1\\+1' is not a number"),
        ("Price", "NaN", "no amount"),
        ("Price", "1e308", "no amount"),
        ("Price", "\uff11\uff12", "not a number"),
        ("Price", "0", "above 0"),
        ("Quantity", "-1", "above 0"),
        ("Side", "HOLD", "neither a purchase nor a sale"),
        ("Symbol", "=cmd()", "no name of a contract"),
        ("Time", "2027-01-01 00:00:00", "in the future"),
        ("Time", "yesterday", "no moment"),
        ("Fee", "free", "no amount"),
    ],
)
def test_a_row_that_is_not_believed_says_why(column: str, cell: str, reason: str) -> None:
    header, row, other, _ = BINANCE.split("\n")
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | {column: cell}
    found = read("\n".join([header, ",".join(cells.values()), other]), zone=UTC)
    assert len(found.fills) == 1
    (refused,) = found.refused
    assert refused.line == 2
    assert refused.row[column] == cell
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(refused.reason)


def test_a_row_with_too_few_cells_is_kept_with_its_reason() -> None:
    found = read(BINANCE + "7,26-05-22\n", zone=UTC)
    assert [(one.line, one.reason) for one in found.refused] == [(4, "The line has 2 cells, the header 13.")]


def test_an_hour_that_came_twice_is_not_guessed() -> None:
    text = BINANCE.replace("2026-05-22 16:30:00", "2025-10-26 02:30:00")
    found = read(text, zone=ZoneInfo("Europe/Berlin"))
    assert [one.reason for one in found.refused] == [
        "'2025-10-26 02:30:00' is not one moment: clocks were changed there. Export the file in UTC."
    ]


def test_a_file_without_its_zone_or_order_is_asked_for() -> None:
    with pytest.raises(imports.FileRefusedError, match="time zone"):
        read(BINANCE)
    unsure = HYPERLIQUID.replace("25/05/2026", "05/06/2026")
    with pytest.raises(imports.FileRefusedError, match="Days and months"):
        read(unsure, zone=UTC)
    days = [read(unsure, zone=UTC, order=order).fills[0].at.date() for order in ("d", "m")]
    assert days == [dt.date(2026, 6, 5), dt.date(2026, 5, 6)]


def test_columns_that_the_user_names() -> None:
    table = imports.read_table(
        b"When,What,Way,At,Many\n1779999999,BTC-PERP,B,100.5,2\n1779999999123,BTC-PERP,S,101,2\n"
    )
    assert imports.find_layout(table) is None
    layout = imports.mapped(
        dict(zip(imports.NEEDED, ("When", "What", "Way", "At", "Many"), strict=True)), venue="elsewhere"
    )
    found = imports.read_rows(table, layout, imports.find_style(table, layout, zone=UTC), now=NOW)
    assert [(one.side, one.price, one.at.microsecond) for one in found.fills] == [
        (1, Decimal("100.5"), 0), (-1, Decimal(101), 123000),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="holds the side"):
        imports.mapped({"time": "When", "symbol": "What"}, venue="elsewhere")
    with pytest.raises(ValueError, match="one thing only"):
        imports.mapped(dict.fromkeys(imports.NEEDED, "When"), venue="elsewhere")


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_refused_or_read(content: bytes) -> None:
    with contextlib.suppress(imports.FileRefusedError):
        assert len(imports.read_table(content).header) <= 100


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters='\r\n\x00"'), max_size=30),
        min_size=13,
        max_size=13,
    )
)
def test_every_row_is_accounted_for(cells: list[str]) -> None:
    row = ",".join(cell.replace(",", "") for cell in cells)
    found = read(BINANCE + row + "\n", zone=UTC)
    assert found.row_count == 2 + bool(row.strip())
