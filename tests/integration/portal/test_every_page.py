"""What holds of every page: light, dark, on a phone, by keyboard alone, without scripts."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.portal.looking import (
    ALL_RULES,
    COLOURS,
    inline_code,
    times_without_utc,
    unreachable,
    violations,
    width,
)
from tests.integration.portal.pages import NO_PAGES, PAGES, Shown
from tests.integration.portal.site import Site, populated
from tests.integration.portal.visiting import DESK, PHONE, Visitor, session_cookie

from daylily.bootstrap import bootstrap
from daylily.config import Settings
from daylily.entrypoints.http.app import create_asgi

pytestmark = pytest.mark.chromium

RULES: Final = {"light": ALL_RULES, "dark": COLOURS, "phone": ALL_RULES}
"""What is looked for: another scheme of colours changes nothing else."""
LOOKS: Final = {"light": ("light", DESK), "dark": ("dark", DESK), "phone": ("light", PHONE)}
"""Colours and sizes in which every page is looked at."""
SCREENS: Final = os.environ.get("DAYLILY_SCREENSHOTS")
"""A folder, for ``make screenshots``."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One service for all who only look."""
    with populated(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def cookie(site: Site) -> dict[str, Any]:
    """The session of the operator: one will do for all."""
    return session_cookie(site.url)


@pytest.fixture
def arriving(site: Site, browser: Any, cookie: dict[str, Any], shown: Shown) -> Any:
    """Return what opens a browser for somebody who may see the page."""

    def arrive(**context: Any) -> Any:
        return Visitor.arriving(
            browser, site.url, cookie=cookie if shown.signed_in else None, **context
        )

    return arrive


every_page = pytest.mark.parametrize("shown", PAGES, ids=lambda each: each.name)


@every_page
def test_everybody_can_use_it(site: Site, arriving: Any, shown: Shown) -> None:
    """
    WCAG 2.2 AA holds in every look, nothing is inline, times tell UTC, and a phone shows all of it.

    The Tab key comes to everything that can be pressed or filled in, and shows where it is.
    """
    with arriving() as visitor:
        answer = visitor.goes_to(shown.address(site))
        page = visitor.page
        assert answer.status == shown.status
        visitor.expects_status(shown.status)
        assert page.locator("h1").count() == 1
        assert [*inline_code(page), *times_without_utc(page)] == []
        for look, (scheme, size) in LOOKS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            assert (look, violations(page, RULES[look])) == (look, [])
            assert width(page) <= size["width"]
            if SCREENS:
                page.screenshot(path=Path(SCREENS) / f"{shown.name}-{look}.png", full_page=True)
                page.evaluate("document.activeElement.blur()")
        page.set_viewport_size(DESK)
        assert unreachable(page) == []


@pytest.mark.parametrize("shown", [each for each in PAGES if each.reading], ids=lambda each: each.name)
def test_without_scripts(site: Site, arriving: Any, shown: Shown) -> None:
    """All that stands on a page stands there without scripts, too."""
    headings = []
    for scripts in (True, False):
        with arriving(java_script_enabled=scripts) as visitor:
            visitor.goes_to(shown.address(site))
            found = visitor.page.locator("h1, h2, h3")
            headings.append([each.inner_text() for each in found.all() if each.is_visible()])
            visitor.expects_status(shown.status)
    assert headings[0] == headings[1]


def test_every_page_is_looked_at(tmp_path: Path) -> None:
    """Whatever answers GET in the portal is in the table of pages, or is said to be none."""
    app = bootstrap(Settings(home=tmp_path))
    asgi = create_asgi(app, admin_token=None)
    answers = {
        route.path
        for route in asgi.routes
        if route.path.startswith("/portal") and "GET" in getattr(route, "methods", ())
    }
    app.world.close()
    pages = {path for path in answers if not re.match("/portal/live(/|$)", path)} - {*NO_PAGES}
    assert pages == {each.route for each in PAGES}
    assert {*NO_PAGES} <= answers
