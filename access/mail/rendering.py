"""From a notice and what fills it to subject, text and HTML. One template makes both, so that they say the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.template import Context, Engine, Library
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from access.mail.notices import Notice

register: Final = Library()
# A link on a line of its own. What people typed holds no control characters (`outbox.post`), so nobody forges one.
_LINK: Final = "\x02"
_SUBJECT_MAX: Final = 150


@register.simple_tag
def action(label: str, path: str) -> str:
    """Set a link on a line of its own: a button in HTML. Its address is a path of this site."""
    return f"{_LINK}{label}{_LINK}{site_address(path)}"


def site_address(path: str) -> str:
    """Return the full address of a path; hosts come from the setting, never from a request."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"A link in a mail is a path of this site, such as /login/, not {path!r}.")
    return f"{settings.SITE_URL}{path}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as it is sent."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A paragraph's lines, or a link."""

    lines: tuple[str, ...] = ()
    label: str = ""
    address: str = ""


def render(notice: Notice, *, context: Mapping[str, Any], unsubscribe: str = "") -> Rendered:
    """Fill a notice; `unsubscribe` is the path that ends letters. Raises TemplateDoesNotExist without its text."""
    dirs = cast("list[str]", settings.TEMPLATES[0]["DIRS"])
    template = _engine(*dirs).get_template(f"mail/{notice.slug}.txt")
    told = template.render(Context(dict(context), autoescape=False))
    subject, _, body = told.strip().partition("\n")
    parts = [_read(block) for block in body.strip().split("\n\n") if block.strip()]
    foot = site_address(unsubscribe) if unsubscribe else ""
    return Rendered(
        subject=subject.strip()[:_SUBJECT_MAX],
        text=_as_text(parts, foot),
        html=render_to_string(
            "mail/frame.html", {"subject": subject, "parts": parts, "unsubscribe": foot, "site": settings.SITE_URL}
        ),
    )


@cache
def _engine(*dirs: str) -> Engine:
    return Engine(dirs=list(dirs), autoescape=False, builtins=["access.mail.rendering"])


def _read(block: str) -> _Part:
    if _LINK in block:
        _, label, address = block.strip().split(_LINK)
        return _Part(label=label, address=address)
    return _Part(lines=tuple(line.strip() for line in block.strip().splitlines()))


def _as_text(parts: list[_Part], unsubscribe: str) -> str:
    said = [f"{part.label}:\n{part.address}" if part.address else "\n".join(part.lines) for part in parts]
    foot = f"BH Terminal · {settings.SITE_URL}"
    ending = f"{foot}\nNo more of these letters: {unsubscribe}" if unsubscribe else foot
    return "\n\n".join([*said, f"-- \n{ending}"]) + "\n"
