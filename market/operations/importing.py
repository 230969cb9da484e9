"""Import files: each one whole or not at all, each line either stored or quarantined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from django.db import transaction

from market.queries import stored_span
from market.series import epoch_ms
from market.sources.files import (
    LIMITS,
    Fault,
    FileRefusedError,
    Limits,
    belongs,
    lines_of,
    read_file,
    show_name,
    show_text,
)

from .quarantine import Doubt, hold
from .selecting import Sizes, files_of, find_or_make, require_open, target, withdraw
from .staging import Stored
from .storing import BUILT_FROM, Filing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from market.models import Instrument
    from market.series import SeriesName
    from market.sources.files import Piece

    from .staging import Conflict

# Lines of the members of one archive stay apart in staging.
_MEMBER_LINES: Final = 1 << 40
_NOTHING: Final = Stored(0, 0, 0)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file; ``refused`` says why nothing of it was imported."""

    path: Path
    key: str
    series: tuple[str, ...] = ()
    stored: Stored = _NOTHING
    faults: tuple[tuple[str, Fault], ...] = ()
    refused: str = ""
    # Where what is built from bars and open interest is out of date now: they changed before what was stored.
    rebuild_from: dt.datetime | None = None

    @property
    def name(self) -> str:
        """The file's name as it can be shown."""
        return show_name(self.path.name)


@dataclass(frozen=True, slots=True)
class Step:
    """How far an import is: file ``number`` of ``total``, rows read of it, and its report once it is done."""

    path: Path
    number: int
    total: int
    rows: int
    report: FileReport | None = None

    @property
    def name(self) -> str:
        """The file's name as it can be shown."""
        return show_name(self.path.name)


Progress: TypeAlias = Callable[[Step], None]


def import_files(  # noqa: PLR0913 what to import, and how
    *,
    keys: Sequence[str],
    paths: Sequence[Path],
    now: dt.datetime,
    sizes: Sizes | None = None,
    progress: Progress | None = None,
    limits: Limits = LIMITS,
    may_be_live: bool = False,
) -> list[FileReport]:
    """Import files for instruments (``venue:symbol``), one transaction for each file; safe to repeat.

    A directory stands for its files that are named for the instrument. Raises ImportRequestError before anything is
    written when a key or a path makes no sense, when the market is simulated, and when it is live and ``may_be_live``
    is not given.
    """
    tell = progress or _tell_nobody
    wanted = [target(key) for key in dict.fromkeys(keys)]
    for each in wanted:
        require_open(each, may_be_live=may_be_live)
    chosen = [(each, files_of(each, paths, is_only=len(wanted) == 1)) for each in wanted]
    total = sum(len(files) for _, files in chosen)
    reports: list[FileReport] = []
    for each, files in chosen:
        instrument, is_made_now = find_or_make(each, files, sizes or Sizes())
        before, span = len(reports), stored_span(instrument_id=instrument.pk)
        try:
            for path in files:
                reading = _Reading(instrument, path, now, limits, span[1] if span else None)
                step = partial(Step, path, len(reports) + 1, total)
                reports.append(report := reading.run(partial(_tell_rows, tell, step)))
                tell(step(sum(report.stored), report))
        finally:
            if is_made_now and all(report.refused for report in reports[before:]):
                withdraw(instrument)
    return reports


def _tell_rows(tell: Progress, step: Callable[[int], Step], rows: int) -> None:
    """Pass the count of rows on as a step."""
    tell(step(rows))


def _tell_nobody(_step: Step) -> None:
    """Do nothing: nobody watches."""


class _Reading:
    """One file on its way in."""

    def __init__(
        self, instrument: Instrument, path: Path, now: dt.datetime, limits: Limits, stored_through: dt.datetime | None
    ) -> None:
        self.instrument, self.path, self.now, self.limits = instrument, path, now, limits
        self.stored_through, self.rebuild_from = stored_through, stored_through
        self.filing: Filing | None = None
        self.members: dict[int, str] = {}
        self.series: list[str] = []
        # Series, where it stood, timeframe, and what is wrong.
        self.faults: list[tuple[str, str, int, Fault]] = []
        self.stored = _NOTHING

    def run(self, tell: Callable[[int], None]) -> FileReport:
        """Import all of the file or nothing, and say what became of it."""
        refused = ""
        try:
            with transaction.atomic():
                self._refuse_foreign_name()
                self._read(tell)
                self._quarantine()
        except FileRefusedError as error:
            refused = self._refuse(str(error))
        except Exception as error:  # noqa: BLE001  # whatever one file does, the others go on
            refused = self._refuse(f"{self.path.name}: can not be read ({type(error).__name__}: {error}).")
        return FileReport(
            path=self.path,
            key=self.instrument.key,
            series=tuple(dict.fromkeys(self.series)),
            stored=self.stored,
            faults=() if refused else tuple((origin, fault) for _, origin, _, fault in self.faults),
            refused=refused,
            rebuild_from=None if self.rebuild_from == self.stored_through else self.rebuild_from,
        )

    def _refuse(self, why: str) -> str:
        name = show_name(self.path.name)
        refused = show_text(why.replace(self.path.name, name))
        self.stored, self.rebuild_from = _NOTHING, self.stored_through
        self.faults = [("file", name, 0, Fault(0, refused[:200], name))]
        self._quarantine()
        return refused

    def _refuse_foreign_name(self) -> None:
        if belongs(self.path.name, symbol=self.instrument.symbol, base=self.instrument.base) is False:
            raise FileRefusedError(
                f"{self.path.name}: is named for another symbol than {self.instrument.symbol}; rename it if it isn't."
            )

    def _read(self, tell: Callable[[int], None]) -> None:
        pieces = read_file(
            self.path,
            symbol=self.instrument.symbol,
            base=self.instrument.base,
            now_ms=epoch_ms(self.now),
            limits=self.limits,
        )
        rows = 0
        for piece in pieces:
            self.members[piece.number] = self._origin(piece)
            self.faults += [(piece.series, self._origin(piece), piece.timeframe, fault) for fault in piece.faults]
            if len(piece.rows):
                self._filing_for(piece).add(piece.rows, piece.lines + piece.number * _MEMBER_LINES)
            rows += len(piece.rows)
            tell(rows)
        self._close()

    def _origin(self, piece: Piece) -> str:
        names = [self.path.name] if piece.member == self.path.name else [self.path.name, piece.member]
        return "/".join(map(show_name, names))

    def _filing_for(self, piece: Piece) -> Filing:
        """Return the open filing for a piece; an archive whose members differ is filed one after the other."""
        series = cast("SeriesName", piece.series)
        if self.filing is None or (self.filing.series, self.filing.given_timeframe) != (series, piece.timeframe):
            self._close()
            self.series.append(f"{series} {piece.timeframe} s" if piece.timeframe else series)
            self.filing = Filing(instrument_id=self.instrument.pk, series=series, timeframe=piece.timeframe)
            self.filing.open()
        return self.filing

    def _close(self) -> None:
        if self.filing is None:
            return
        conflicts = self.filing.settle_duplicates()
        if conflicts:
            self._report_conflicts(self.filing, conflicts)
        stored = self.filing.close()
        self.stored = Stored(*(have + more for have, more in zip(self.stored, stored, strict=True)))
        if self.filing.series in BUILT_FROM and self.filing.changed_from and self.rebuild_from:
            self.rebuild_from = min(self.rebuild_from, self.filing.changed_from)
        self.filing = None

    def _report_conflicts(self, filing: Filing, conflicts: list[Conflict]) -> None:
        places = [divmod(conflict.line, _MEMBER_LINES) for conflict in conflicts]
        raws = lines_of(self.path, set(places))
        for (number, line), conflict in zip(places, conflicts, strict=True):
            first = conflict.first_line % _MEMBER_LINES
            reason = f"the same time came before with other values (line {first})"
            fault = Fault(line, reason, raws.get((number, line), ""), conflict.row)
            self.faults.append((filing.series, self.members[number], filing.given_timeframe, fault))

    def _quarantine(self) -> None:
        for (series, origin, timeframe), faults in groupby(self.faults, key=itemgetter(0, 1, 2)):
            hold(
                instrument=self.instrument,
                series=series,
                origin=origin,
                timeframe=timeframe,
                doubts=[Doubt(fault.raw, fault.reason, fault.line, fault.row) for *_, fault in faults],
            )
