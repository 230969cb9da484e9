"""Static files under names that carry their content's hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from bhweb import fonts, joining

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

PACKAGES: Final = "vendor/"
# Modules that are collected as one script with those beside them.
ENTRIES: Final = ("js/terminal/app.js", "js/terminal/main.js")
FONT: Final = "vendor/inter/inter-latin-wght-normal.woff2"
SMALL_FONT: Final = "vendor/inter/basic.woff2"
_, IMPORTS = ManifestStaticFilesStorage._js_module_import_aggregation_patterns  # type: ignore[attr-defined]  # noqa: SLF001  # Django names it for no one else


# What pages ask for first is compressed with Brotli as well; at its best that takes a second for each 400 kB.
_FIRST: Final = (
    "js/",
    "css/",
    "django_htmx/htmx-2.min",
    "vendor/lightweight-charts/lightweight-charts.standalone.prod",
)


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no stubs
    """Rewrites the import statements of our own ES modules too; packages' scripts may name what no file is called.

    Modules of an entry are joined, and a small font is made of the whole one, so that a first view is light.

    The browser's packages may be missing: where npm could not be had, pages show the server's picture.
    """

    support_js_module_import_aggregation = True
    _uses_brotli = False
    _js_module_import_aggregation_patterns: Final = ("js/*.js", IMPORTS)

    def post_process(self, paths: dict[str, Any], *, dry_run: bool = False) -> Iterator[Any]:
        """Make what is made of other files, then hash and compress all."""
        for name, content in () if dry_run else self._make(paths):
            self.delete(name)
            self._save(name, ContentFile(content))
            paths[name] = (self, name)
        yield from super().post_process(paths, dry_run=dry_run)

    def compress_files(self, paths: Iterable[str]) -> Iterator[Any]:
        """Compress all with gzip, and what pages ask for first with Brotli too, where the library is there."""
        first = {path for path in paths if path.startswith(_FIRST)}
        for self._uses_brotli, chosen in ((True, first), (False, {*paths} - first)):
            yield from super().compress_files(chosen)

    def create_compressor(self, *, extensions: tuple[str, ...] | None = None, quiet: bool = False) -> Compressor:
        """Return what compresses the files that are chosen."""
        return Compressor(extensions=extensions, quiet=quiet, use_brotli=self._uses_brotli)

    def _make(self, paths: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        def read(name: str) -> bytes:
            storage, path = paths[name]
            with storage.open(path) as source:
                return bytes(source.read())

        for entry in filter(paths.__contains__, ENTRIES):
            folder, _, name = entry.rpartition("/")
            yield entry, joining.join(entry=name, read=lambda one: read(f"{folder}/{one}").decode()).encode()  # noqa: B023  # read at once
        if FONT in paths:
            yield SMALL_FONT, fonts.reduce(read(FONT))

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        """Leave the address of a missing package's file as it is."""
        convert: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)

        def convert_what_is_there(match: re.Match[str]) -> str:
            try:
                return convert(match)
            except ValueError:
                if PACKAGES not in match["url"]:
                    raise
                return match[0]

        return convert_what_is_there

    def stored_name(self, name: str) -> str:
        """Name a missing package's file without a hash."""
        try:
            return str(super().stored_name(name))
        except ValueError:
            if not name.startswith(PACKAGES):
                raise
            return name
