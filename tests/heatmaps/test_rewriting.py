"""What was shown before a correction of old data, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from heatmaps.models import Heatmap, Tile, Zone
from heatmaps.operations import build, track_zones
from heatmaps.queries import find_tile, get_heatmap, history_before, release_name
from market.series import STEP_MS
from tests.core.windows import START_MS, cut, make_window
from tests.factories import make_instrument

from .markets import LATE, START, at_step, built, followed, make_market, put

if TYPE_CHECKING:
    import datetime as dt

    from heatmaps.queries import StoredTile
    from market.models import Instrument

pytestmark = pytest.mark.django_db
SLUG = "open-interest"
STEPS = 900


def rebuild(instrument: Instrument, *, since: dt.datetime | None = None) -> Heatmap:
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE, since=since)
    track_zones(instrument_id=instrument.pk, now=LATE)
    return the_map(instrument)


def the_map(instrument: Instrument) -> Heatmap:
    found = get_heatmap(instrument_id=instrument.pk)
    assert found is not None
    return found


def correct(instrument: Instrument, step: int) -> None:
    """Report a bar again with three times its volume."""
    window = make_window(steps=STEPS)
    window.bars["volume"][step] *= 3.0
    window.bars["quote_volume"][step] *= 3.0
    put(instrument, window)


def frozen(instrument: Instrument) -> list[tuple[object, str]]:
    zones = Zone.objects.filter(heatmap__instrument=instrument).order_by("number")
    return list(zones.values_list("evidence", "evidence_sha256"))


def ask(release: str, *, col: int) -> StoredTile | None:
    row = Tile.objects.filter(level=0, col=col, row__gte=0).values_list("row", flat=True).order_by("row")[0]
    return find_tile(key="binance:BTCUSDT", release=release, level=0, row=row, col=col)


def test_closed_tile_is_for_ever_under_the_address_of_its_revision() -> None:
    heatmap = rebuild(make_market(steps=STEPS))
    assert release_name(heatmap=heatmap) == "open-interest-2-r1"
    first, last = START_MS // STEP_MS // 256, (START_MS // STEP_MS + STEPS - 1) // 256
    for release, col, is_closed in (
        ("open-interest-2-r1", first, True),
        ("open-interest-2-r2", first, False),
        ("open-interest-2-r1", last, False),
    ):
        found = ask(release, col=col)
        assert found is not None
        assert found.is_closed is is_closed
    names = ("open-interest-2", "open-interest-9-r1", "nonsense", "-r", "")
    assert [ask(name, col=first) for name in names] == [None] * len(names)


def test_correction_of_closed_tiles_changes_their_address() -> None:
    instrument = make_market(steps=STEPS)
    assert rebuild(instrument).revision == 1
    correct(instrument, 600)
    assert rebuild(instrument, since=at_step(590)).revision == 2
    # Going on and building the same once more is no correction.
    assert rebuild(instrument).revision == 2
    assert rebuild(instrument, since=START).revision == 2


def test_correction_of_open_tiles_keeps_the_address() -> None:
    instrument = make_market(steps=STEPS)
    rebuild(instrument)
    before = built(instrument)
    correct(instrument, STEPS - 40)
    assert rebuild(instrument).revision == 1
    assert built(instrument) != before


def test_tile_closed_before_an_interrupted_rebuild_counts_as_closed() -> None:
    """The pointer went back and was left inside a closed tile; what lay beyond it had been shown all the same."""
    instrument = make_market(steps=STEPS)
    rebuild(instrument)
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE, since=at_step(10), until=at_step(200))
    heatmap = the_map(instrument)
    assert (heatmap.built_through, heatmap.shown_through, heatmap.revision) == (at_step(200), at_step(STEPS), 2)
    correct(instrument, 400)
    heatmap = rebuild(instrument)
    assert (heatmap.built_through, heatmap.shown_through, heatmap.revision) == (at_step(STEPS), at_step(STEPS), 3)


def test_corrected_map_is_the_map_of_the_corrected_data() -> None:
    instrument, other = make_market(steps=STEPS), make_market(steps=STEPS, symbol="ETHUSDT")
    rebuild(instrument)
    correct(instrument, 300)
    correct(other, 300)
    rebuild(instrument, since=at_step(300))
    rebuild(other)
    assert built(instrument) == built(other)


def test_sample_at_the_very_moment_of_a_snapshot_is_taken_in() -> None:
    instrument, other, window = make_instrument(), make_instrument(symbol="ETHUSDT"), make_window(steps=100)
    put(instrument, window)
    rebuild(instrument)
    window.open_interest["open_interest"][71] *= 1.5
    for one in (instrument, other):
        put(one, window)
    rebuild(instrument, since=at_step(72))
    rebuild(other)
    assert built(instrument) == built(other)


def test_zones_of_a_corrected_span_stay_as_they_were_shown() -> None:
    instrument = make_market(steps=STEPS)
    before = rebuild(instrument)
    zones, evidence = followed(instrument), frozen(instrument)
    correct(instrument, 300)
    after = rebuild(instrument, since=at_step(300))
    assert after.input_digest != before.input_digest
    assert (followed(instrument), frozen(instrument)) == (zones, evidence)
    assert after.zones_through == before.zones_through == at_step(STEPS)


def test_zones_go_on_where_they_stopped_once_the_map_is_back_there() -> None:
    instrument, window = make_instrument(), make_window(steps=STEPS)
    put(instrument, window, until=700)
    rebuild(instrument)
    build(instrument_id=instrument.pk, estimator=SLUG, now=LATE, since=at_step(10), until=at_step(200))
    track_zones(instrument_id=instrument.pk, now=LATE)
    assert the_map(instrument).zones_through == at_step(700)
    put(instrument, window)
    assert rebuild(instrument).zones_through == at_step(STEPS)
    in_peace = make_market(steps=STEPS, symbol="ETHUSDT")
    rebuild(in_peace)
    assert followed(instrument) == followed(in_peace)


def test_history_before_the_map_is_taken_in_when_asked() -> None:
    instrument, window = make_instrument(), make_window(steps=STEPS)
    put(instrument, cut(window, since_ms=START_MS + 500 * STEP_MS, until_ms=START_MS + STEPS * STEP_MS))
    heatmap = rebuild(instrument)
    assert (heatmap.built_from, history_before(heatmap=heatmap)) == (at_step(500), None)
    zones = followed(instrument)
    put(instrument, window)
    heatmap = rebuild(instrument)
    assert (heatmap.built_from, history_before(heatmap=heatmap)) == (at_step(500), at_step(1))
    heatmap = rebuild(instrument, since=START)
    assert (heatmap.built_from, history_before(heatmap=heatmap), heatmap.revision) == (START, None, 2)
    assert followed(instrument) == zones
    whole = make_market(steps=STEPS, symbol="ETHUSDT")
    rebuild(whole)
    assert built(instrument)["snapshots"] == built(whole)["snapshots"]


def etags(instrument: Instrument) -> list[tuple[int, int, int, str]]:
    tiles = Tile.objects.filter(heatmap__instrument=instrument, heatmap__release__slug=SLUG)
    return sorted(tiles.values_list("level", "row", "col", "etag"))


@pytest.mark.parametrize("step", [100, 890])
def test_correction_of_any_age_is_taken_in_by_the_next_build(step: int) -> None:
    instrument, fresh = make_market(steps=STEPS), make_instrument(symbol="FRESHUSDT")
    before = rebuild(instrument)
    correct(instrument, step)
    correct(fresh, step)
    assert etags(instrument) != etags(fresh)
    after = rebuild(instrument)
    rebuild(fresh)
    assert etags(instrument) == etags(fresh)
    assert after.change_id > before.change_id
    assert rebuild(instrument).revision == after.revision
