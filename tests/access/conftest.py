from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from access.mail import declare
from tests.pages import light_services

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

    from access.mail import Notice

__all__ = ["light_services"]


@pytest.fixture(autouse=True)
def local(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "access.mail.local.LocalBackend"
    settings.SITE_URL = "https://terminal.example.org"


@pytest.fixture
def letter(tmp_path: Path, settings: Settings) -> Notice:
    (tmp_path / "mail/tests").mkdir(parents=True)
    text = 'News for {{ name }}\n\nHello {{ name }}.\nA second line.\n\n{% action "Read it" link %}\n'
    (tmp_path / "mail/tests/letter.txt").write_text(text)
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    return declare("tests/letter", is_letter=True, sample={"name": "Ada", "link": "/news/"})
