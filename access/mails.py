"""The mails that access sends."""

from __future__ import annotations

from typing import Final

from access.mail import declare

TRIAL: Final = declare("access/trial", sample={})
