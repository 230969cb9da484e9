"""What changes the market's tables; every operation may run again without effect."""

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
from .selecting import ImportRequestError, Sizes
from .staging import Stored
from .storing import store
from .syncing import Synced, sync_venue

__all__ = [
    "FileReport",
    "ImportRequestError",
    "Ingested",
    "InstrumentRequestError",
    "Sizes",
    "Step",
    "Stored",
    "Synced",
    "disable",
    "enable",
    "ensure_default_set",
    "ensure_instrument",
    "ensure_instruments",
    "ensure_pairs",
    "import_files",
    "ingest",
    "rename",
    "store",
    "sync_venue",
]
