"""What a position would cost: pure arithmetic, no rounding before the last step.

Side is +1 for a long, -1 for a short. Prices are quote per base, rates and fees fractions; money is Decimal. Bad
input is refused with a ValueError whose sentence says what to change.
"""

from .expectancy import (
    LEAST_RESULTS,
    Expectancy,
    chance_of_falling_to,
    expectancy,
    expectancy_of,
    growth_share,
    kelly,
    kelly_of,
)
from .funding import count_settlements, funding_per_unit
from .liquidation import liquidation_price, liquidation_price_inverse
from .reading import NO_COMMA, read_number
from .reward import Reward, Scaled, break_even, reward_to_risk, scaled_reward
from .ruin import (
    MOST_PATHS,
    MOST_TRADES,
    Ruin,
    drawdown_bound,
    lundberg_exponent,
    ruin_even_money,
    ruin_whole_payoff,
    simulate_ruin,
)
from .sizing import Size, loss_per_unit, max_leverage, size_by_stop, size_by_stop_inverse
from .streaks import chance_of_streak, expected_longest, recovery
from .terms import FREE, Bracket, Costs, Direction, Side, exact, require_order, require_positive, snap

__all__ = [
    "FREE",
    "LEAST_RESULTS",
    "MOST_PATHS",
    "MOST_TRADES",
    "NO_COMMA",
    "Bracket",
    "Costs",
    "Direction",
    "Expectancy",
    "Reward",
    "Ruin",
    "Scaled",
    "Side",
    "Size",
    "break_even",
    "chance_of_falling_to",
    "chance_of_streak",
    "count_settlements",
    "drawdown_bound",
    "exact",
    "expectancy",
    "expectancy_of",
    "expected_longest",
    "funding_per_unit",
    "growth_share",
    "kelly",
    "kelly_of",
    "liquidation_price",
    "liquidation_price_inverse",
    "loss_per_unit",
    "lundberg_exponent",
    "max_leverage",
    "read_number",
    "recovery",
    "require_order",
    "require_positive",
    "reward_to_risk",
    "ruin_even_money",
    "ruin_whole_payoff",
    "scaled_reward",
    "simulate_ruin",
    "size_by_stop",
    "size_by_stop_inverse",
    "snap",
]
