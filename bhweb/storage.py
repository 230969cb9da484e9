"""Static files under names that carry their content's hash."""

from __future__ import annotations

from typing import Final

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_, IMPORTS = ManifestStaticFilesStorage._js_module_import_aggregation_patterns  # type: ignore[attr-defined]  # noqa: SLF001  # Django names it for no one else


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no stubs
    """Rewrites the import statements of our own ES modules too; packages' scripts may name what no file is called."""

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns: Final = ("js/*.js", IMPORTS)
