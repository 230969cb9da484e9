"""Static files, with and without the browser's packages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

from bhweb.fonts import CHARACTERS
from bhweb.management.commands.prepare import collect_static

if TYPE_CHECKING:
    from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[2]
CHART, APP = "js/terminal/chart.js", "js/terminal/app.js"
LIBRARY = "vendor/lightweight-charts/lightweight-charts.standalone.production.mjs"


@pytest.fixture
def static_root(settings: Settings, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "bhweb.storage.ModuleManifestStorage"}}
    settings.STATICFILES_DIRS = [ROOT / "static"]
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    return tmp_path / "static"


def hashed(name: str) -> str:
    return staticfiles_storage.url(name).removeprefix("/static/")


def test_missing_browser_packages_are_named_without_a_hash(static_root: Path) -> None:
    call_command("collectstatic", verbosity=0, interactive=False)
    assert staticfiles_storage.url(LIBRARY) == f"/static/{LIBRARY}"
    assert f"../../{LIBRARY}" in (static_root / hashed(CHART)).read_text()


def test_missing_file_of_our_own_is_an_error(static_root: Path) -> None:
    call_command("collectstatic", verbosity=0, interactive=False)
    with pytest.raises(ValueError, match=r"Missing staticfiles manifest entry for 'js/none.js'"):
        staticfiles_storage.url("js/none.js")


def test_imports_carry_hashes(static_root: Path, settings: Settings, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / LIBRARY.rpartition("/")[2]).write_text("export const version = 1;\n")
    settings.STATICFILES_DIRS = [ROOT / "static", ("vendor/lightweight-charts", str(package))]
    call_command("collectstatic", verbosity=0, interactive=False)
    text = (static_root / hashed(CHART)).read_text()
    assert re.search(r"standalone\.production\.[0-9a-f]{12}\.mjs", text)


def test_unchanged_files_are_collected_once(static_root: Path, settings: Settings, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "one.css").write_text("a {}\n")
    settings.STATICFILES_DIRS = [own]
    collect_static()
    (hashed,) = static_root.glob("one.*.css")
    hashed.unlink()
    collect_static()
    assert not hashed.exists()
    (own / "one.css").write_text("a { color: red }\n")
    collect_static()
    assert len(list(static_root.glob("one.*.css"))) == 1


def test_modules_of_the_terminal_are_one_script(static_root: Path) -> None:
    call_command("collectstatic", verbosity=0, interactive=False)
    text = (static_root / hashed(APP)).read_text()
    imported = re.findall(r"^import .* from ['\"](.*)['\"];$", text, re.MULTILINE)
    assert [name.rpartition("/")[2].partition(".")[0] for name in imported] == ["lightweight-charts", "theme"]
    assert "class HeatLayer" in text
    assert "// The chart and everything" not in text


def test_font_is_cut_to_what_pages_use(static_root: Path, settings: Settings, tmp_path: Path) -> None:
    fonts = ROOT / "node_modules/@fontsource-variable/inter/files"
    if not fonts.exists():
        pytest.skip("the font comes with the browser's packages")
    settings.STATICFILES_DIRS = [ROOT / "static", ("vendor/inter", str(fonts))]
    call_command("collectstatic", verbosity=0, interactive=False)
    style = (static_root / hashed("css/tokens.css")).read_text()
    small = static_root / hashed("vendor/inter/basic.woff2")
    assert small.name in style
    pytest.importorskip("fontTools", reason="the font is cut with it")
    assert small.stat().st_size < 20_000
    ranges = re.findall(r"unicode-range: ([^;]+);", style)[1].replace("U+", "").split(", ")
    ends = [(int(one.split("-")[0], 16), int(one.split("-")[-1], 16)) for one in ranges]
    assert sorted(code for first, last in ends for code in range(first, last + 1)) == sorted(CHARACTERS)
