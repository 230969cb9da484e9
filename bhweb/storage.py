"""Static files under names that carry their content's hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

PACKAGES: Final = "vendor/"
_, IMPORTS = ManifestStaticFilesStorage._js_module_import_aggregation_patterns  # type: ignore[attr-defined]  # noqa: SLF001  # Django names it for no one else


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no stubs
    """Rewrites the import statements of our own ES modules too; packages' scripts may name what no file is called.

    The browser's packages may be missing: where npm could not be had, pages show the server's picture.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns: Final = ("js/*.js", IMPORTS)

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
