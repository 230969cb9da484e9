"""How fast a map is computed: stored bars to stored tiles, the kernel alone, its plain twin, the memory's own speed."""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import transaction

from heatmaps.core.estimators import load_built
from heatmaps.core.estimators.engine import moves, start_state
from heatmaps.core.estimators.family import PRIOR
from heatmaps.core.estimators.open_interest import OpenInterest
from heatmaps.core.grid import GRID_BINS, bin_width
from heatmaps.core.inventory import GROUPS, Inventory
from heatmaps.core.layers import LAYERS, Hours, load_layer, read
from heatmaps.core.layers.base import WINDOW
from heatmaps.core.leverage import Margins, effective_tiers
from heatmaps.core.reference import PlainInventory
from heatmaps.core.steps import cut_steps, sampled_ends
from heatmaps.core.strips import Scale, Strips
from heatmaps.core.tile import COMMITTED, code_floor
from heatmaps.models import EstimatorRelease, Heatmap
from heatmaps.operations import build
from heatmaps.queries import DEFAULT_ESTIMATOR, get_current_heatmap, map_size
from heatmaps.queries.layers import load_hourly
from market.queries import get_instrument, load_open_interest, stored_span
from market.series import BAR, DAY_MS, FUNDING, HOUR_MS, OPEN_INTEREST, STEP_MS, Window, epoch_ms, moment
from market.terms import LINEAR

from . import zones

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from heatmaps.core.inventory import Move
    from market.models import Instrument

STEPS: Final = 16_128
ZONE_STEPS: Final = 2_016
LAYER_REPEATS: Final = 25
_PLAIN_STEPS: Final = 12
_PART: Final = 2048
_COPY_BYTES: Final = 64 * 2**20


def made_up(steps: int, seed: int = 1) -> Window:
    """A random walk with volume and open interest that look like a large contract's, five-minute bars."""
    draw = np.random.default_rng(seed)
    close = 60_000.0 * np.exp(np.cumsum(draw.normal(0.0, 1.6e-3, steps)))
    bars = np.zeros(steps, BAR)
    bars["open_time"] = 1_767_225_600_000 + np.arange(steps) * STEP_MS
    bars["open"], bars["close"] = np.concatenate(([60_000.0], close[:-1])), close
    reach = np.abs(draw.normal(0.0, 6e-4, (2, steps)))
    bars["high"] = np.maximum(bars["open"], close) * (1.0 + reach[0])
    bars["low"] = np.minimum(bars["open"], close) * (1.0 - reach[1])
    bars["volume"] = draw.lognormal(6.5, 0.6, steps)
    bars["quote_volume"] = bars["taker_buy_volume"] = np.nan
    interest = np.zeros(steps, OPEN_INTEREST)
    interest["time"] = bars["open_time"] + STEP_MS
    interest["open_interest"] = 90_000.0 * np.exp(np.cumsum(draw.normal(0.0, 4e-4, steps)))
    return Window(bars, np.full(steps, STEP_MS), interest)


def run_stored(*, key: str, steps: int | None, now: dt.datetime) -> dict[str, Any]:
    """Measure stored bars to stored tiles, all of them or the first ``steps``; nothing of it remains.

    Raises Instrument.DoesNotExist.
    """
    instrument, before = get_instrument(key=key), peak_rss_bytes()
    with transaction.atomic():
        # Out of the way until the end, so that the build begins with nothing and leaves the map as it is.
        aside = EstimatorRelease.objects.create(slug="aside", version="-", parameters={}, digest="")
        stored = get_current_heatmap(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR)
        if stored is not None:
            Heatmap.objects.filter(pk=stored.pk).update(release=aside)
        wall, processor = time.perf_counter(), time.process_time()
        built = build(
            instrument_id=instrument.pk,
            estimator=DEFAULT_ESTIMATOR,
            now=now,
            until=_end_of(instrument, steps),
        )
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        made = get_current_heatmap(instrument_id=instrument.pk, estimator=DEFAULT_ESTIMATOR)
        size = map_size(heatmap=made) if made else None
        transaction.set_rollback(True)
    return {
        "instrument": instrument.key,
        "stored_steps": built.steps,
        "stored_days": round(built.steps * STEP_MS / DAY_MS, 1),
        "stored_to_tiles_seconds": round(wall, 2),
        "stored_to_tiles_cpu_seconds": round(processor, 2),
        "stored_steps_per_s": round(built.steps / wall),
        "stored_tiles": size.tiles if size else 0,
        "stored_tile_bytes": size.tile_bytes if size else 0,
        "peak_rss_mb": round(peak_rss_bytes() / 1e6, 1),
        "rss_mb_before": round(before / 1e6, 1),
    }


def _end_of(instrument: Instrument, steps: int | None) -> dt.datetime | None:
    """The end of so many steps from the first sample of open interest."""
    span = stored_span(instrument_id=instrument.pk)
    if span is None or steps is None:
        return None
    samples = load_open_interest(instrument_id=instrument.pk, since=span[0], until=span[1])
    first_ms = int(samples["time"][0]) if len(samples) else epoch_ms(span[0])
    return moment((first_ms - 1) // STEP_MS * STEP_MS + steps * STEP_MS)


def peak_rss_bytes() -> int:
    """The largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run(*, steps: int = STEPS) -> dict[str, Any]:
    """Measure on made-up data; times are processor seconds, so that a busy machine misleads less."""
    window = made_up(steps)
    inputs = _moves(window)
    kernel = _kernel(inputs)
    plain = _plain(inputs[:_PLAIN_STEPS])
    whole, size = _whole(window)
    copied = _copy_bandwidth()
    # What a step must at least read and write: the deposits of 24 tiers on two sides, there and back.
    touched = 2 * 2 * 8 * sum(len(move.masses) for move in inputs) * PRIOR.tier_count / len(inputs)
    return {
        "steps": steps,
        "kernel_us_per_step": round(kernel * 1e6, 2),
        "kernel_steps_per_s": round(1.0 / kernel),
        "plain_us_per_step": round(plain * 1e6, 1),
        "ratio_to_plain": round(plain / kernel, 1),
        "to_tiles_us_per_step": round(whole / steps * 1e6, 2),
        "to_tiles_seconds": round(whole, 3),
        "tile_bytes": size,
        "copy_gb_per_s": round(copied / 1e9, 2),
        "kernel_bytes_per_step": round(touched),
        "ratio_to_copy_bandwidth": round(kernel / (touched / copied), 1),
        "state_bytes": 2 * GROUPS * GRID_BINS * 8,
    }


def run_zones(*, steps: int = ZONE_STEPS) -> dict[str, Any]:
    """Measure how fast zones are followed on made-up data."""
    window = made_up(steps)
    return {"steps": steps} | zones.follow(window, kernel_s=_kernel(_moves(window)))


def _moves(window: Window) -> list[Move]:
    estimator = OpenInterest(terms=LINEAR)
    reading, wick = estimator.options.reading, estimator.options.wick
    ends = sampled_ends(window)
    steps = cut_steps(window, ends, width=estimator.width, through_ms=None, digest=bytes(32), reading=reading)
    state = start_state(steps, estimator.deposits[-1], bytes(32))
    return list(moves(steps, estimator.flows(steps, state), estimator.width, wick))


def _kernel(inputs: list[Move]) -> float:
    """Seconds per step of the recurrence alone."""
    inventory = Inventory(OpenInterest(terms=LINEAR).deposits[-1])
    begun = time.process_time()
    for move in inputs:
        inventory.step(move)
    return (time.process_time() - begun) / len(inputs)


def _plain(inputs: list[Move]) -> float:
    """Seconds per step of the same recurrence in plain Python."""
    tiers = effective_tiers(PRIOR, Margins())
    plain = PlainInventory(tiers, bin_width(OpenInterest.bin_bps), inputs[0].first_bin - GRID_BINS // 2)
    begun = time.process_time()
    for move in inputs:
        plain.step(move)
    return (time.process_time() - begun) / len(inputs)


def _whole(window: Window) -> tuple[float, int]:
    """Seconds from bars to the bytes of all tiles, in parts as a build does it, and how many bytes."""
    estimator, state, size = load_built("open-interest"), None, 0
    scale = Scale(bin_width(estimator.bin_bps), code_floor(90_000.0 * 60_000.0))
    begun = time.process_time()
    for start in range(0, len(window.bars), _PART):
        part = slice(start, start + _PART)
        piece = Window(window.bars[part], window.bar_ms[part], window.open_interest[part])
        after_ms = state.through_ms if state else None
        estimate = estimator.estimate(piece, state)
        strips = Strips(scale)
        strips.paint(estimate.painted(COMMITTED), after_ms=after_ms)
        size += sum(len(body) for *_, body in strips.changes() if body)
        state = estimate.state
    return time.process_time() - begun, size


def run_layers(*, key: str | None, repeats: int = LAYER_REPEATS) -> dict[str, Any]:
    """Measure all layers of one instrument: on made-up hours and, with ``key``, on its stored ones with their reading.

    Medians: processor time of the layers, time by the wall of what the database brings. Raises Instrument.DoesNotExist.
    """
    hours = _made_up_hours()
    layers = {slug: load_layer(slug) for slug in LAYERS}
    found = read(hours)
    each = {
        slug: _median(lambda layer=layer: layer.compute(hours, {one: found[one] for one in layer.rests_on}), repeats)  # type: ignore[misc]
        for slug, layer in layers.items()
    }
    figures: dict[str, Any] = {
        "hours": len(hours),
        "layers": len(layers),
        "layers_ms": round(_median(lambda: read(hours), repeats) * 1e3, 2),
        "each_layer_ms": {slug: round(seconds * 1e3, 2) for slug, seconds in each.items()},
    }
    return figures | (_stored_layers(key, repeats) if key else {})


def _stored_layers(key: str, repeats: int) -> dict[str, Any]:
    instrument = get_instrument(key=key)
    span = stored_span(instrument_id=instrument.pk)
    at = span[1] if span else moment(0)
    series = load_hourly(instrument_id=instrument.pk, until=at)
    hours = Hours.of(end_ms=epoch_ms(at) // HOUR_MS * HOUR_MS, count=WINDOW, series=series)
    load = _median(lambda: load_hourly(instrument_id=instrument.pk, until=at), repeats, clock=time.perf_counter)
    return {
        "instrument": instrument.key,
        "stored_layers_ms": round(_median(lambda: read(hours), repeats) * 1e3, 2),
        "stored_load_ms": round(load * 1e3, 1),
    }


def _median(work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time) -> float:
    taken = []
    for _ in range(repeats):
        begun = clock()
        work()
        taken.append(clock() - begun)
    return float(np.median(taken))


def _made_up_hours() -> Hours:
    """Hours of every series but the order book's: what ``made_up`` makes, taken for hours."""
    window = made_up(WINDOW)
    bars, interest = window.bars.copy(), window.open_interest.copy()
    bars["open_time"] = HOUR_MS * np.arange(WINDOW)
    bars["taker_buy_volume"] = 0.5 * bars["volume"]
    interest["time"] = bars["open_time"] + HOUR_MS
    funding = np.zeros(WINDOW // 8, FUNDING)
    funding["time"], funding["interval_s"] = 8 * HOUR_MS * np.arange(1, len(funding) + 1), 28_800.0
    funding["rate"] = np.random.default_rng(1).normal(1e-4, 5e-5, len(funding))
    series = {"bars": bars, "open_interest": interest, "funding": funding}
    return Hours.of(end_ms=WINDOW * HOUR_MS, count=WINDOW, series=series)


def _copy_bandwidth() -> float:
    """Bytes per second that this machine copies, read and written counted."""
    source = np.ones(_COPY_BYTES // 8)
    target = np.empty_like(source)
    np.copyto(target, source)
    begun = time.process_time()
    for _ in range(4):
        np.copyto(target, source)
    return 4 * 2 * _COPY_BYTES / (time.process_time() - begun)
