"""Routes of early access, first steps and research: what a GET and a POST get, and of which address."""

from __future__ import annotations

from typing import Any, Final

_NONSENSE: Final = {"token": "nonsense"}
EARLY: Final[dict[str, tuple[Any, ...]]] = {
    "access:early-operator": (200,),
    "access:early-wave": (404, 404, {"pk": 1}),
    "access:early-step": (405, 404, {"pk": 1, "name": "pause"}),
    **{f"access:early-{name}": (405, 422) for name in ("draft", "csv-out", "csv-in")},
    "access:early-request": (200, 422),
    "access:early-sent": (200,),
    **{f"access:early-{name}": (200, 410, _NONSENSE) for name in ("confirm", "invite")},
    "access:early-yours": (200, 405, _NONSENSE),
    **{f"access:early-{name}": (405, 410, _NONSENSE) for name in ("export", "erase")},
    "welcome": (200, 422),
    "welcome-read": (405, 302),
    "welcome-done": (405, 302),
    "research": (200,),
    "research-feed": (200,),
    "research-article": (200, 405, {"slug": "crowding"}),
    "research-picture": (200, 405, {"slug": "crowding"}),
}
