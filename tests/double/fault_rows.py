"""Faults of rows: too many, too few, misplaced, of another contract. F-008 to F-011, F-019, F-023, F-028, F-032."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.double.fault_fields import FieldFault
from tests.double.faults import ROWS, WS_ROWS, Fault
from tests.double.tape import MINUTE

if TYPE_CHECKING:
    from tests.double.venue import Answer

BARS: Final = ("bars", "marks", "ws.bars", "ws.marks")
FUTURE_MS: Final = 7 * MINUTE
CROOKED_MS: Final = 14_000
FEW: Final = 3


def is_list_of_rows(answer: Answer) -> bool:
    """Tell whether the payload holds the very list of rows, so that adding to one adds to the other."""
    return _holds(answer.payload, answer.rows, depth=3)


def _holds(payload: Any, rows: list[Any], depth: int) -> bool:  # noqa: ANN401 whatever JSON holds
    if payload is rows:
        return True
    inner = payload.values() if isinstance(payload, dict) else payload if isinstance(payload, list) else ()
    return depth > 0 and any(_holds(part, rows, depth - 1) for part in inner)


def moved(value: Any, by: int) -> Any:  # noqa: ANN401 a time as text or number
    """Shift a time, whichever way it is written."""
    return str(int(value) + by) if isinstance(value, str) else value + by


class RowFault(Fault):
    """Rows stay true; their number or order is not what it should be."""

    default_on: ClassVar[tuple[str, ...]] = ROWS

    def alter(self, answer: Answer) -> bool:
        """Change the list where there is one."""
        return len(answer.rows) >= FEW and "time" in answer.fields and is_list_of_rows(answer) and self.change(answer)

    def change(self, answer: Answer) -> bool:
        """Change it; tell whether it could."""
        raise NotImplementedError


class DuplicateRow(RowFault):
    """A row comes twice; a push is sent twice."""

    name, default_on = "duplicate_row", (*ROWS, *WS_ROWS)

    def change(self, answer: Answer) -> bool:
        at = self.random.randrange(len(answer.rows))
        answer.rows.insert(at, copy.deepcopy(answer.rows[at]))
        return True

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        return [frame for answer in answers for frame in (answer, answer)]


class OutOfOrder(RowFault):
    """Rows come shuffled; pushes come in reverse."""

    name, default_on = "out_of_order", (*ROWS, *WS_ROWS)

    def change(self, answer: Answer) -> bool:
        was = list(answer.rows)
        while answer.rows == was:  # rows of different times: another order is another list
            self.random.shuffle(answer.rows)
        return True

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        return answers[::-1] if len(answers) > 1 else None


class LateRow(RowFault):
    """A row in the middle is not there yet; the next answer has it. A push is held back until the next."""

    name, default_on = "late_row", (*ROWS, *WS_ROWS)

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 handed on
        super().__init__(**options)
        self.held: dict[int, Answer] = {}

    def change(self, answer: Answer) -> bool:
        at = self.random.randrange(1, len(answer.rows) - 1)
        answer.rows.pop(at)
        answer.keys = []
        return True

    def reaches(self, slug: str, endpoint: str, now: int) -> bool:
        """What is held must still come when the fault is spent."""
        return bool(self.held and endpoint.startswith("ws.")) or super().reaches(slug, endpoint, now)

    def frames(self, answers: list[Answer]) -> list[Answer] | None:
        released = self.held.pop(answers[0].peer, None)
        if released is not None:
            answers.append(released)  # letting go is no second fault
        elif self.times != 0 and answers[0].keys:
            self.held[answers[0].peer] = answers[0]
            return answers[1:]
        return None


class PageBoundary(RowFault):
    """A page is one row short at its far end, as if its limit were off by one."""

    name = "page_boundary"

    def change(self, answer: Answer) -> bool:
        times = [int(row[answer.fields["time"]]) for row in answer.rows]
        answer.rows.pop(-1 if times[0] < times[-1] else 0)
        answer.keys = []
        return True


class FutureBar(FieldFault):
    """A bar that has not happened."""

    name, default_on = "future_bar", BARS

    def spoil(self, answer: Answer) -> bool:
        if not is_list_of_rows(answer) and len(answer.rows) == 1:
            shift(answer, answer.rows[0], FUTURE_MS)
            return True
        times = [int(row[answer.fields["time"]]) for row in answer.rows]
        newest = -1 if times[0] <= times[-1] else 0
        row = copy.deepcopy(answer.rows[newest])
        shift(answer, row, FUTURE_MS)
        answer.rows.insert(len(answer.rows) if newest else 0, row)
        return True


class Misaligned(FieldFault):
    """A bar that opens fourteen seconds past its minute."""

    name, default_on = "misaligned", BARS

    def spoil(self, answer: Answer) -> bool:
        shift(answer, self.random.choice(answer.rows), CROOKED_MS)
        return True


def shift(answer: Answer, row: Any, by: int) -> None:  # noqa: ANN401 a row
    """Move a bar in time."""
    for name in ("time", "end"):
        if name in answer.fields:
            row[answer.fields[name]] = moved(row[answer.fields[name]], by)


class OpenAsClosed(FieldFault):
    """The newest closed bar is a bar that was still open: half its volume, another close."""

    name, default_on = "open_as_closed", ("bars", "ws.bars")

    def spoil(self, answer: Answer) -> bool:
        closed = set(map(str, answer.keys))
        time, close, opened = (answer.fields[name] for name in ("time", "close", "open"))
        rows = [row for row in answer.rows if str(row[time]) in closed]
        if not rows:
            return False
        row = max(rows, key=lambda row: int(row[time]))
        row[close] = row[opened]
        for name in ("volume", "quote_volume", "contracts", "taker"):
            if name in answer.fields:
                row[answer.fields[name]] = str(float(row[answer.fields[name]]) / 2)
        return True


class WrongSymbol(FieldFault):
    """The answer is about another contract than was asked for; only answers that name theirs are reached."""

    name = "wrong_symbol"

    def spoil(self, answer: Answer) -> bool:
        place = answer.fields.get("symbol")
        names = [row for row in answer.rows if place is not None and isinstance(row.get(place), str)]
        if place is None or not names or not answer.symbol:
            return self._in_envelope(answer)
        for row in names:
            row[place] = other(row[place])
        return True

    @staticmethod
    def _in_envelope(answer: Answer) -> bool:
        """Bybit names the contract beside the list, websockets in the topic."""
        payload = answer.payload if isinstance(answer.payload, dict) else {}
        for holder in (payload, payload.get("result"), payload.get("arg")):
            if not isinstance(holder, dict):
                continue
            for name in ("symbol", "s", "instId", "topic"):
                if answer.symbol and answer.symbol in str(holder.get(name, "")):
                    holder[name] = holder[name].replace(answer.symbol, other(answer.symbol))
                    return True
        return False


def other(symbol: str) -> str:
    """Return another contract's name in the same style."""
    return symbol.replace("BTC", "ETH") if "BTC" in symbol else f"BTC{symbol[3:]}"


class UnitChange(FieldFault):
    """Open interest is told in another unit: a thousand to the contract, or in USD."""

    name, default_on = "unit_change", ("interest", "interest_now", "ticker", "ws.interest", "ws.ticker")

    def spoil(self, answer: Answer) -> bool:
        return scale_interest(answer, self.random.choice((1_000.0, 0.001, 60_000.0)))


def scale_interest(answer: Answer, factor: float) -> bool:
    """Multiply open interest in base; tell whether there was any."""
    places = [answer.fields[name] for name in ("amount", "both_sides") if name in answer.fields]
    cells = [(row, place) for row in answer.rows for place in places if place in row or isinstance(place, int)]
    for row, place in cells:
        row[place] = f"{float(row[place] or 0) * factor:.8f}"
    return bool(cells)


ROW_FAULTS: Final = (
    DuplicateRow, OutOfOrder, LateRow, PageBoundary, FutureBar, Misaligned, OpenAsClosed, WrongSymbol, UnitChange,
)  # fmt: skip
