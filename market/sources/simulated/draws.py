"""All chance of one block of minutes, drawn at once from a generator that the block's number alone decides.

A market that resumes inside a block draws the same numbers again, so where a run was cut leaves no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .book import HEDGED
from .world import BLOCK, PARCELS, SUB_STEPS, Behaviour

if TYPE_CHECKING:
    import numpy.typing as npt

CANDIDATES: Final = 64  # positions of one book that may be asked in a minute whether they close
GENESIS: Final = 2**63  # block number of the draws from before the first minute


def generator(*, seed: int, block: int) -> np.random.Generator:
    """Return the generator of one block of one market."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, block], np.uint64)))


@dataclass(frozen=True, slots=True)
class Traits:
    """Traits of positions, any shape."""

    nominal: npt.NDArray[np.float64]  # uniform; becomes a leverage by the preferences of the moment
    shrink: npt.NDArray[np.float64]  # effective / nominal leverage
    spare: npt.NDArray[np.int64]  # margin calls that the trader will answer, or HEDGED
    weight: npt.NDArray[np.float64]  # of its notional


@dataclass(frozen=True, slots=True)
class Opening:
    """Traits of a block's new positions, each [BLOCK][2 sides][PARCELS]."""

    nominal: npt.NDArray[np.float64]
    shrink: npt.NDArray[np.float64]
    spare: list[list[list[int]]]
    moment: list[list[list[int]]]  # sub-step of the entry
    weight: list[list[list[float]]]  # share of what the side opens in the minute


@dataclass(frozen=True, slots=True)
class Draws:
    """One block's chance. Lists where single numbers are read, arrays where vectors are."""

    price: list[list[float]]  # [BLOCK][SUB_STEPS] normal, sometimes wild
    wick: list[float]
    wick_now: list[float]
    state: list[list[float]]  # [BLOCK][4] normal: fast and slow volatility, trend, premium
    interest: list[float]
    churn: list[float]
    taker: list[float]
    vwap: list[list[float]]  # [BLOCK][SUB_STEPS] weights
    rounding: list[list[float]]  # [BLOCK][4 books] uniform
    slot: npt.NDArray[np.float64]  # [BLOCK, 4 books, CANDIDATES] uniform
    accept: npt.NDArray[np.float64]  # the same
    cover: npt.NDArray[np.float64]  # [BLOCK, CANDIDATES, 2 rows of one side] uniform
    opening: Opening


def draw_traits(g: np.random.Generator, behaviour: Behaviour, shape: tuple[int, ...]) -> Traits:
    """Draw the traits of positions."""
    spare = np.floor(np.log(1.0 - g.random(shape)) / np.log(behaviour.margin_call_share)).astype(np.int64)
    spare[g.random(shape) < behaviour.hedged_share] = HEDGED
    return Traits(
        nominal=g.random(shape),
        shrink=np.exp(-np.abs(behaviour.jitter * g.standard_normal(shape))),
        spare=spare,
        weight=np.exp(1.2 * g.standard_normal(shape)),
    )


def _draw_opening(g: np.random.Generator, behaviour: Behaviour) -> Opening:
    """Draw a block's new positions; hasty traders share by weight, the last of each minute is the patient one."""
    traits = draw_traits(g, behaviour, (BLOCK, 2, PARCELS))
    hasty, patient = traits.weight[..., :-1], behaviour.patient_share
    hasty *= (1.0 - patient) / hasty.sum(-1, keepdims=True)
    traits.weight[..., -1] = patient
    return Opening(
        nominal=traits.nominal,
        shrink=traits.shrink,
        spare=traits.spare.tolist(),
        moment=g.integers(0, SUB_STEPS, (BLOCK, 2, PARCELS)).tolist(),
        weight=traits.weight.tolist(),
    )


def draw_block(*, seed: int, block: int, behaviour: Behaviour) -> Draws:
    """Draw the chance of minutes [block * BLOCK, (block + 1) * BLOCK) since the market's start."""
    g = generator(seed=seed, block=block)
    wild = np.where(g.random((BLOCK, SUB_STEPS)) < 0.02, 2.5, 1.0)  # noqa: PLR2004  one in fifty is wild: fat tails
    return Draws(
        price=(wild * g.standard_normal((BLOCK, SUB_STEPS))).tolist(),
        wick=g.standard_normal(BLOCK).tolist(),
        wick_now=g.random(BLOCK).tolist(),
        state=g.standard_normal((BLOCK, 4)).tolist(),
        interest=g.standard_normal(BLOCK).tolist(),
        churn=np.exp(0.5 * g.standard_normal(BLOCK)).tolist(),
        taker=g.standard_normal(BLOCK).tolist(),
        vwap=g.dirichlet(np.full(SUB_STEPS, 2.0), BLOCK).tolist(),
        rounding=g.random((BLOCK, 4)).tolist(),
        slot=g.random((BLOCK, 4, CANDIDATES)),
        accept=g.random((BLOCK, 4, CANDIDATES)),
        cover=g.random((BLOCK, CANDIDATES, 2)),
        opening=_draw_opening(g, behaviour),
    )
