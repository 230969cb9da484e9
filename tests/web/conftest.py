from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages import use_light_services

if TYPE_CHECKING:
    from pytest_django import SettingsWrapper


@pytest.fixture(autouse=True)
def light_services(settings: SettingsWrapper) -> None:
    use_light_services(settings)
