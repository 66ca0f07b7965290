import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.http.live import Live, serving
from tests.integration.portal.visiting import Visitor, session_cookie

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A server with a token, on SQLite and a directory."""
    with serving(tmp_path / "home") as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; while it is up, its loop runs in this thread."""
    if not CHROMIUM.exists():
        text = f"there is no {CHROMIUM}: install it with `make engines`"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(live: Live, browser: Any) -> Iterator[Visitor]:
    """The operator, signed in; at the end nothing may have gone against a policy or failed."""
    with Visitor.arriving(browser, live.url, cookie=session_cookie(live.url)) as visitor:
        yield visitor


@pytest.fixture
def page(visitor: Visitor) -> Any:
    """The page that the operator looks at."""
    return visitor.page
