"""Time series as numpy records: the words in which every room hands market data to the next.

Times are UTC epoch milliseconds. NaN means "the venue did not report it" and is allowed only in the
fields named in ``OPTIONAL``; it is never a zero and never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Records: TypeAlias = npt.NDArray[np.void]

MINUTE_MS: Final = 60_000
STEP_MS: Final = 300_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

# open_time = left edge [ms]; prices [quote per base]; volumes [base], quote_volume [quote].
BAR: Final = np.dtype(
    [
        ("open_time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("quote_volume", "<f8"),
        ("taker_buy_volume", "<f8"),
    ]
)
# time = moment of the sample [ms]; open_interest [base], one-sided; open_interest_value [quote].
OPEN_INTEREST: Final = np.dtype(
    [("time", "<i8"), ("open_interest", "<f8"), ("open_interest_value", "<f8"), ("mark_price", "<f8")]
)
# rate = fraction of notional per interval, positive when longs pay shorts.
FUNDING: Final = np.dtype([("time", "<i8"), ("rate", "<f8")])
# position_side: +1 a long was closed by force, -1 a short. ordinal tells identical prints of one millisecond apart.
LIQUIDATION: Final = np.dtype(
    [("time", "<i8"), ("position_side", "<i8"), ("price", "<f8"), ("quantity", "<f8"), ("ordinal", "<i8")]
)
# Sums of observed liquidations per period and side [quote]; no price level is known.
LIQUIDATION_TOTAL: Final = np.dtype([("open_time", "<i8"), ("long_usd", "<f8"), ("short_usd", "<f8")])

OPTIONAL: Final = frozenset({"quote_volume", "taker_buy_volume", "open_interest_value", "mark_price"})


@dataclass(frozen=True, slots=True)
class Window:
    """What an estimator reads: bars in time order, each with its own length, and open interest samples.

    bars: BAR[n], strictly increasing open_time; bar_ms: int64[n], 60,000 or 300,000 [ms] for the bar of the same index;
    open_interest: OPEN_INTEREST[m], strictly increasing time. Bars of a five-minute step are either all of one minute
    or one of five minutes; a step without any bar is simply absent.
    """

    bars: Records
    bar_ms: npt.NDArray[np.int64]
    open_interest: Records
