"""What changes the market's tables; every operation may run again without effect."""

from .importing import FileReport, Step, import_files
from .instruments import ensure_instrument, ensure_instruments
from .live import Ingested, ingest
from .selecting import ImportRequestError, Sizes
from .staging import Stored
from .storing import store

__all__ = [
    "FileReport",
    "ImportRequestError",
    "Ingested",
    "Sizes",
    "Step",
    "Stored",
    "ensure_instrument",
    "ensure_instruments",
    "import_files",
    "ingest",
    "store",
]
