"""What Python and the browser's scripts both know is the same in both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from heatmaps import palette, picture, views
from heatmaps.core.tile import CODES_PER_OCTAVE, DENSITY_BPS, GAP
from heatmaps.pages import chart

STATIC: Final = Path(__file__).resolve().parents[2] / "static"
SCRIPTS: Final = STATIC / "js"
ENTRY: Final = SCRIPTS / "terminal" / "main.js"


def script(name: str) -> str:
    return (SCRIPTS / f"{name}.js").read_text()


def constant(name: str, in_script: str) -> float:
    found = re.findall(rf"^const {name} = ([\d.]+);$", script(in_script), re.MULTILINE)
    assert len(found) == 1
    return float(found[0])


def test_constants_are_the_same() -> None:
    assert constant("CODES_PER_OCTAVE", "terminal/colour") == CODES_PER_OCTAVE
    assert constant("FADE", "terminal/colour") == palette.FADE
    assert constant("DENSITY_BPS", "terminal/side") == DENSITY_BPS
    assert constant("GAP", "terminal/heat") == GAP


def test_time_frames_are_the_same() -> None:
    visible = re.search(r"const VISIBLE = {(.+)};", script("terminal/chart"))
    assert visible
    assert re.findall(r"'(\w+)':", visible[1]) == list(chart.TIMEFRAMES)


def test_grounds_are_the_same() -> None:
    ground = re.search(r"const GROUND = {(.+)};", script("terminal/style"))
    assert ground
    found = {name: tuple(map(int, rgb.split(", "))) for name, rgb in re.findall(r"(\w+): \[([\d, ]+)\]", ground[1])}
    assert found == palette.GROUND == {theme: ink.ground for theme, ink in picture.INKS.items()}


TOKENS: Final = {
    "ground": "plot", "text": "t1", "faint": "t3", "line": "line2", "longs": "longs", "shorts": "shorts",
    "up": "candle-up", "down": "candle-down", "edge": "candle-edge",
}  # fmt: skip


def rgb(text: str) -> tuple[int, ...]:
    digits = text if len(text) == 6 else "".join(2 * digit for digit in text)
    return tuple(bytes.fromhex(digits))


@pytest.mark.parametrize(("theme", "sheet"), [("dark", "tokens"), ("light", "light")])
def test_the_picture_wears_the_colours_of_the_page(theme: str, sheet: str) -> None:
    css = (STATIC / "css" / f"{sheet}.css").read_text().partition("@media")[0]
    page = {name: rgb(value) for name, value in re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", css)}
    ink = picture.INKS[theme]
    assert {name: getattr(ink, name) for name in TOKENS} == {name: page[token] for name, token in TOKENS.items()}


def test_both_sheets_name_the_same_colours() -> None:
    light = set(re.findall(r"--[\w-]+(?=:)", (STATIC / "css" / "light.css").read_text()))
    dark = set(re.findall(r"--[\w-]+(?=:)", (STATIC / "css" / "tokens.css").read_text()))
    assert {name for name in dark - light if not re.match(r"--(f\d|r\d|font|mono)$", name)} == set()
    assert light - dark == set()


def imports(path: Path) -> set[Path]:
    """Return what a script imports, in a statement or as a call, and what those import."""
    found = {(path.parent / name).resolve() for name in re.findall(r"(?:from |import\()'(\.[^']+)'", path.read_text())}
    return found.union(*(imports(one) for one in found if one.exists() and "vendor" not in one.parts))


def test_scripts_told_in_advance_are_those_that_are_imported() -> None:
    # Modules beside each other come joined; the theme's script and the entry stand in the head.
    scripts = {ENTRY, *imports(ENTRY)}
    own = [path for path in scripts if "vendor" not in path.parts]
    called = {path.parent / name for path in own for name in re.findall(r"import\('\./([^']+)'\)", path.read_text())}
    asked = called | {path for path in scripts if path.parent != ENTRY.parent}
    needed = {str(path.relative_to(STATIC)) for path in asked} - {"js/theme.js"}
    assert set(views.MODULES) == needed
    assert len(views.MODULES) == len(needed)


def test_classes_of_the_shared_sheets_are_used() -> None:
    root = STATIC.parent
    sources = [*root.glob("templates/**/*.html"), *SCRIPTS.glob("**/*.js"), *root.glob("*/[a-z]*.py")]
    words = set(re.findall(r"[\w-]+", " ".join(path.read_text() for path in sources)))
    sheets = " ".join(
        (STATIC / "css" / f"{name}.css").read_text() for name in ("base", "components", "terminal", "zone")
    )
    rules = re.sub(r"{[^}]*}|/\*.*?\*/", " ", sheets, flags=re.DOTALL)
    named = set(re.findall(r"\.([a-z][\w-]*)", rules))
    # Put together from a state or a kind: zone-swept, dot-longs, banner-ok, context-gauge.
    stems = ("zone-", "dot-", "bar-", "whisker-", "bin-", "is-", "banner-", "card-", "run-", "context-")
    # The framework names the list of a field's errors.
    assert {name for name in named - words if not name.startswith(stems)} == {"errorlist"}
