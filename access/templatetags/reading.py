"""Times and numbers as the reader of the page wants them; known in every template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django import template

from access import reading

if TYPE_CHECKING:
    import datetime as dt

register = template.Library()
_FORMS: Final = {"": "%Y-%m-%d %H:%M", "s": "%Y-%m-%d %H:%M:%S", "clock": "%H:%M:%S"}


@register.filter
def moment(value: dt.datetime | None, form: str = "") -> str:
    """Write a time in the reader's zone with its offset: to the minute, to the second (``s``), or its ``clock``."""
    if value is None:
        return ""
    local = reading.localised(value)
    return f"{local:{_FORMS[form]}} {reading.offset(local)}"


@register.filter
def digits(value: object) -> str:
    """Write a number that was formatted with a point in the reader's notation."""
    return reading.written(str(value))


@register.simple_tag
def zone() -> str:
    """Name the reader's time zone."""
    return reading.zone_name()
