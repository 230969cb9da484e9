"""Static files under names that carry their content's hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whitenoise.storage import CompressedManifestStaticFilesStorage

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

OWN_MODULES = "js/"


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no stubs
    """Rewrites the import statements of our own ES modules too; packages may name what no file is called."""

    support_js_module_import_aggregation = True

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        """Leave the scripts of packages as they are."""
        if name.endswith(".js") and not name.startswith(OWN_MODULES):
            return lambda match: match[0]
        converter: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)
        return converter
