"""What changes the market's tables; every operation may run again without effect."""

from .backfilling import Backfilled, Progress, backfill
from .importing import FileReport, Step, import_files
from .instruments import (
    InstrumentRequestError,
    disable,
    enable,
    ensure_default_set,
    ensure_instrument,
    ensure_instruments,
    rename,
)
from .live import Ingested, ingest
from .pairing import ensure_pairs
from .retention import Kept, keep_house
from .selecting import ImportRequestError, Sizes
from .staging import Stored
from .storing import store
from .syncing import Synced, sync_venue

__all__ = [
    "Backfilled",
    "FileReport",
    "ImportRequestError",
    "Ingested",
    "InstrumentRequestError",
    "Kept",
    "Progress",
    "Sizes",
    "Step",
    "Stored",
    "Synced",
    "backfill",
    "disable",
    "enable",
    "ensure_default_set",
    "ensure_instrument",
    "ensure_instruments",
    "ensure_pairs",
    "import_files",
    "ingest",
    "keep_house",
    "rename",
    "store",
    "sync_venue",
]
