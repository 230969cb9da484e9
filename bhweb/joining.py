"""One script out of an entry module and those beside it: the browser asks once instead of thirty times.

Understands what our own modules are written in, and refuses the rest: ``import { a, b as c } from './x.js';`` on one
line, ``export`` before a function, a class or a constant, and ``export { a, b };``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_IMPORT: Final = re.compile(r"^import \{ (?P<names>[^}]+) \} from '(?P<path>[^']+)';\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (?P<name>\w+))", re.MULTILINE)
_LISTED: Final = re.compile(r"^export \{ (?P<names>[^}]+) \};\n", re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *//.*\n", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_BESIDE: Final = "./"


class JoinError(ValueError):
    """A module says something that cannot be joined."""


def join(*, entry: str, read: Callable[[str], str]) -> str:
    """Return the script of a module and all that it imports from its directory; other imports stay as they are.

    ``read`` returns a module's text by its file name. Modules become functions, so that their names do not meet; the
    entry itself stays as it is.
    """
    joined = _Joined(read)
    joined.add(entry, path=())
    outside = sorted(joined.outside.items())
    imports = [f"import {{ {', '.join(sorted(names))} }} from '{path}';" for path, names in outside]
    return "\n".join([*imports, *joined.parts.values()])


class _Joined:
    """What has been gathered: each module's text, what it exports, and what is imported from elsewhere."""

    def __init__(self, read: Callable[[str], str]) -> None:
        self.read = read
        self.parts: dict[str, str] = {}
        self.exported: dict[str, list[str]] = {}
        self.outside: dict[str, set[str]] = {}

    def add(self, name: str, path: tuple[str, ...]) -> None:
        """Add a module after all that it imports; path: who imports whom on the way to it."""
        if name in path:
            message = f"{' imports '.join([*path, name])}: a circle of modules cannot be joined."
            raise JoinError(message)
        text = _COMMENT.sub("", self.read(name))
        taken = "".join(self._take(name, found, path) for found in _IMPORT.finditer(text))
        text = _IMPORT.sub("", text)
        listed = [one for found in _LISTED.finditer(text) for one in found["names"].split(", ")]
        offered = self.exported[name] = [*(found["name"] for found in _EXPORT.finditer(text)), *listed]
        body = _EXPORT.sub("", _LISTED.sub("", text))
        if left := _LEFT.search(body):
            message = f"{name}: {left[0]!r} cannot be joined."
            raise JoinError(message)
        inner = f"const {_variable(name)} = (() => {{\n{taken}{body}return {{ {', '.join(offered)} }};\n}})();"
        self.parts[name] = inner if path else taken + text

    def _take(self, name: str, found: re.Match[str], path: tuple[str, ...]) -> str:
        """Return what stands for an import."""
        names = found["names"].split(", ")
        if not found["path"].startswith(_BESIDE):
            self.outside.setdefault(found["path"], set()).update(names)
            return ""
        other = found["path"].removeprefix(_BESIDE)
        if other not in self.parts:
            self.add(other, (*path, name))
        if missing := {one.split(" as ")[0] for one in names} - set(self.exported[other]):
            message = f"{name} imports {', '.join(sorted(missing))}, which {other} does not export."
            raise JoinError(message)
        return f"const {{ {', '.join(names).replace(' as ', ': ')} }} = {_variable(other)};\n"


def _variable(name: str) -> str:
    return "$" + name.removesuffix(".js")
