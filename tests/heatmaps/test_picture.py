"""The server's picture: what is drawn where, how heavy it is, and its colours."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from heatmaps import palette, picture
from heatmaps.core.tile import GAP
from heatmaps.picture import caption

WIDTH = 5e-4
SIZE = (1052, 640)
FLOOR = 20_000.0


def make_scene(*, code: int | None = 200, holes: tuple[int, ...] = (), count: int = 200) -> picture.Scene:
    """Bars around 60,000 over a map of one code, or over none."""
    closes = 60_000 + 300 * np.sin(np.arange(count) / 9)
    bars = np.stack([closes - 20, closes + 60, closes - 80, closes], axis=1)
    bars[list(holes)] = np.nan
    bin_lo = int(np.log(50_000) / WIDTH)
    bins = int(np.log(72_000) / WIDTH) - bin_lo
    codes = None if code is None else np.full((bins, count), code, np.uint8)
    return picture.Scene(
        title="BTC-USDT 1h",
        caption="Estimate, not exchange data",
        digits=1,
        bars=bars,
        times=["01 Jan"] * count,
        codes=codes,
        bin_lo=bin_lo,
        bin_width=WIDTH,
        colours=palette.lookup(theme="dark", code_floor_usd=FLOOR, floor_usd=1e6, ceiling_usd=1.6e8),
        scale_codes=(91, 208),
        scale_text=("$1M", "$160M"),
        zones=(picture.Band(start=40, low=57_400, high=57_700, is_long=True, label="Z-1 $4M"),),
    )


def pixels(scene: picture.Scene, *, theme: palette.Theme = "dark") -> np.ndarray:  # type: ignore[type-arg]  # uint8
    body = picture.draw(scene=scene, theme=theme, width=SIZE[0], height=SIZE[1])
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB")).astype(int)


def test_picture_is_a_light_png_with_a_palette() -> None:
    rng = np.random.default_rng(3)
    scene = make_scene()
    assert scene.codes is not None
    scene.codes[:] = np.cumsum(rng.integers(-1, 2, scene.codes.shape), axis=1) + 180
    body = picture.draw(scene=scene, theme="dark", width=SIZE[0], height=SIZE[1])
    image = Image.open(io.BytesIO(body))
    assert (image.format, image.mode, image.size) == ("PNG", "P", SIZE)
    assert len(body) <= 40_000


def test_longs_are_amber_below_and_shorts_blue_above() -> None:
    image = pixels(make_scene())
    above, below = image[30, 300], image[560, 300]
    assert above[2] > above[0] + 40
    assert below[0] > below[2] + 40


@pytest.mark.parametrize("code", [None, 0])
def test_no_estimate_is_ground(code: int | None) -> None:
    image = pixels(make_scene(code=code))
    assert image[30, 300].tolist() == list(palette.GROUND["dark"])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_gaps_are_hatched_and_nothing_else_is(theme: palette.Theme) -> None:
    colours = palette.lookup(theme=theme, code_floor_usd=FLOOR, floor_usd=1e6, ceiling_usd=1.6e8)
    scene = replace(make_scene(code=0), colours=colours)
    assert scene.codes is not None
    scene.codes[:, 50:100] = GAP
    image = pixels(scene, theme=theme)
    spacing = (SIZE[0] - picture.AXIS_WIDTH) * 0.93 / 200
    gap, bare = (image[20:60, round(first * spacing) : round(last * spacing)] for first, last in ((51, 99), (102, 150)))
    # The palette of 256 colours may take a shade off.
    is_line, is_ground = (
        (abs(gap - np.array(colour)) <= 6).all(axis=2) for colour in (picture.INKS[theme].hatch, palette.GROUND[theme])
    )
    assert (is_line ^ is_ground).all()
    assert abs(is_line.mean() - 1 / 7) < 0.02
    assert (bare == list(palette.GROUND[theme])).all()


def test_right_of_now_is_paler() -> None:
    image = pixels(make_scene())
    assert image[30, 970].sum() < image[30, 300].sum()


def test_a_zone_that_reaches_beyond_the_plot_stays_within_it() -> None:
    bottom, _ = picture.price_range(make_scene().bars)
    zone = picture.Band(start=40, low=bottom * 0.99, high=bottom * 1.01, is_long=True, label="Z-1 $4M")
    strip = pixels(replace(make_scene(), zones=(zone,)))[-caption.ROW - picture.AXIS_HEIGHT :]
    # Right of the caption's own ramps.
    assert (strip[:, 600:, 0] - strip[:, 600:, 2]).max() < 30


def test_missing_bars_leave_a_hole_in_the_candles() -> None:
    whole, holed = pixels(make_scene(code=None)), pixels(make_scene(code=None, holes=tuple(range(80, 120))))
    spacing = (SIZE[0] - picture.AXIS_WIDTH) * 0.93 / 200
    left, right = round(82 * spacing), round(118 * spacing)
    bright = np.array([200, 200, 200])
    assert (whole[:, left:right] > bright).all(axis=2).any()
    assert not (holed[:300, left:right] > bright).all(axis=2).any()


def test_light_theme_has_a_light_ground() -> None:
    assert pixels(make_scene(code=None), theme="light")[30, 300].tolist() == [255, 255, 255]


def luminance(colour: tuple[int, int, int]) -> float:
    linear = [(c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "sign"), [("dark", 1), ("light", -1)])
def test_ramps_are_monotone_and_equally_bright_on_both_sides(theme: palette.Theme, sign: int) -> None:
    values = np.linspace(0, 1, 41)
    longs = np.array([luminance(palette.ramp(0, float(v), theme)) for v in values])
    shorts = np.array([luminance(palette.ramp(1, float(v), theme)) for v in values])
    assert (np.diff(longs) * sign > -1e-3).all()
    assert (np.diff(shorts) * sign > -1e-3).all()
    # Equal lightness in OKLab, seen through the eye's other measure.
    assert np.abs(longs ** (1 / 3) - shorts ** (1 / 3)).max() < 0.06


def test_lookup_is_ground_below_the_floor_and_saturates_at_the_ceiling() -> None:
    table = palette.lookup(theme="dark", code_floor_usd=FLOOR, floor_usd=1e6, ceiling_usd=1.6e7)
    assert table[0, 0, 0].tolist() == list(palette.GROUND["dark"])
    assert table[1, 0, 90].tolist() == list(palette.GROUND["dark"])
    assert table[0, 0, 200].tolist() == table[0, 0, 254].tolist() == list(palette.ramp(0, 1.0, "dark"))
    assert table[0, 0, 255].tolist() == list(palette.GROUND["dark"])


def test_a_wider_interval_is_greyer_and_by_bars() -> None:
    scene, count = make_scene(), 200
    classes = np.zeros((2, 2, 4096), np.uint8)
    classes[1] = 2
    tables = np.repeat([0, 1], count // 2)
    image = pixels(replace(scene, tables=tables, classes=classes))
    narrow, wide = image[560, 150], image[560, 700]
    spread = [int(one.max() - one.min()) for one in (narrow, wide)]
    assert spread[1] < spread[0] / 2
    assert (pixels(replace(scene, classes=None))[560, 150] == narrow).all()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_wider_interval_loses_colour_and_never_gains_weight(theme: palette.Theme) -> None:
    for side in (0, 1):
        shades = [palette.ramp(side, 1.0, theme, width) for width in range(3)]
        spread = [max(one) - min(one) for one in shades]
        assert spread == sorted(spread, reverse=True)
        weight = [luminance(one) for one in shades]
        assert weight == sorted(weight, reverse=theme == "dark")


def test_prices_fall_where_the_frame_says() -> None:
    frame = picture.Frame(width=100, height=200, top=110.0, bottom=90.0, spacing=2.0)
    assert (frame.y(110.0), frame.y(100.0), frame.y(90.0), frame.x(3)) == (0.0, 100.0, 200.0, 6.0)


@pytest.mark.parametrize(("is_strong", "share"), [(True, 1.0), (False, 6 / 9)])
def test_prices_of_structure_are_lines_solid_where_strong(is_strong: bool, share: float) -> None:
    bare = replace(make_scene(code=None), zones=())
    high = float(np.nanmax(bare.bars[:, 1])) * 1.004
    image, other = pixels(replace(bare, lines=(("Range high", high, is_strong),))), pixels(bare)
    # The palette of 256 colours may take a shade off.
    changed = (abs(image - other) > 30).any(axis=2)[:, 100 : SIZE[0] - picture.AXIS_WIDTH - 120]
    assert changed.any(axis=1).sum() == 1
    assert changed[changed.any(axis=1)].mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("width", "aside", "rows"),
    [
        (1052, "Estimate, not exchange data", (("title", "legend", "caption"),)),
        (
            1052,
            "Delayed. Simulated market. Estimate, not exchange data, no forecast",
            (("title", "legend"), ("caption",)),
        ),
        (390, "Estimate, not exchange data", (("title", "caption"),)),
        (390, "Delayed. Simulated market. Estimate, not exchange data", (("title",), ("caption",))),
    ],
)
def test_what_does_not_fit_beside_the_rest_has_its_own_row(width: int, aside: str, rows: caption.Rows) -> None:
    title = "BTC-USDT 1h, Simulated market, through 29 Nov 01:00" if width > 1000 else "BTC-USDT 1h"
    assert caption.rows_of(replace(make_scene(), title=title, caption=aside), width) == rows
