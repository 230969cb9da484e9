"""Draw the pictures of README.md: ``.venv/bin/python -m tests.browser.pictures URL LOGIN-LINK [VENUE:SYMBOL]``.

Needs a running ``manage.py up`` and one unused login link. The simulated market is shown unless told otherwise.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.measure import FLAGS, NAMES, signed_in

OUT: Final = Path(__file__).resolve().parents[2] / "docs/images"
COLOURS: Final = 256
DESKTOP: Final = (1440, 900)
PHONE: Final = (390, 844)
# Name, size, theme, with scripts.
PICTURES: Final = (
    ("terminal-dark", DESKTOP, "dark", True),
    ("terminal-light", DESKTOP, "light", True),
    ("terminal-phone", PHONE, "dark", True),
    ("terminal-without-javascript", DESKTOP, "dark", False),
)


def main(url: str, login: str, key: str = "simulated:SIMBTC-USDT") -> None:
    """Log in once, then draw each picture in a context of its own."""
    path = os.environ.get("BH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        state = signed_in(browser, login)
        for name, (width, height), theme, scripts in PICTURES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, java_script_enabled=scripts, storage_state=state
            )
            context.add_cookies([{"name": "theme", "value": theme, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/t/{key}/")
            if scripts:
                page.locator('#terminal[data-drawn="true"]').wait_for(state="attached", timeout=30_000)
            page.wait_for_timeout(1500)
            drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            drawn.quantize(COLOURS).save(OUT / f"{name}.png", optimize=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
