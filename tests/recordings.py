"""Where messages that real venues sent lie, which are never part of this repository: beside it, or at BH_RECORDINGS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

_BESIDE: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
RECORDINGS: Final = Path(os.environ.get("BH_RECORDINGS") or _BESIDE)
ABSENT: Final = (
    f"RECORDED MESSAGES NOT CHECKED: there is no {RECORDINGS / 'fixtures-nautilus'}; set BH_RECORDINGS to a directory"
    " that has fixtures-nautilus/<venue>/*.json and recordings-cryptofeed/<VENUE>.*.gz"
)
needs_recordings = pytest.mark.skipif(not (RECORDINGS / "fixtures-nautilus").is_dir(), reason=ABSENT)
