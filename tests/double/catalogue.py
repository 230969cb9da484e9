"""Every fault by its name, so that a campaign can draw (fault, venue, seed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.double.fault_answers import ANSWER_FAULTS
from tests.double.fault_fields import FIELD_FAULTS
from tests.double.fault_market import MARKET_FAULTS
from tests.double.fault_rows import ROW_FAULTS
from tests.double.fault_streams import STREAM_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.double.faults import Fault

FAULTS: Final[Mapping[str, Callable[..., Fault]]] = {
    fault.name: fault for fault in (*ANSWER_FAULTS, *FIELD_FAULTS, *ROW_FAULTS, *STREAM_FAULTS, *MARKET_FAULTS)
}
