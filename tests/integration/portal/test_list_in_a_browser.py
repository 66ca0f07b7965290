"""The list of worksets as a person has it: it rings, keeps what was chosen, and acts on many."""

from typing import Any

import pytest
from benchmarks.bench_portal import MOST_BYTES, MOST_SHIFT, cost, many
from tests.integration.http.live import Live
from tests.integration.portal.site import submitted
from tests.integration.portal.visiting import DESK, Visitor

from daylily.domain.customers import Principal

pytestmark = pytest.mark.chromium

LIST = "/portal/worksets"
OPERATOR = Principal(name="olga", customer_id="local", operator=True)


def test_a_ring_brings_what_is_new(live: Live, page: Any) -> None:
    """Where the server rings nobody has to ask again and again; what was chosen stays so."""
    first = submitted(live, "First")
    with page.expect_response("**/portal/live/list-events*"):
        page.goto(f"{live.url}{LIST}")
    page.get_by_role("checkbox", name="Choose First").check()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    submitted(live, "Second")
    page.get_by_role("link", name="Second").wait_for()
    live.app.cancel(OPERATOR, first)
    page.locator("td").get_by_text("canceled", exact=True).wait_for()

    assert page.get_by_role("checkbox", name="Choose First").is_checked()
    assert "First is now canceled" in page.locator("#news").text_content()
    assert not [url for url in asked if url.endswith(LIST)]  # never the whole page


def test_without_a_ring_the_page_asks(live: Live, visitor: Visitor) -> None:
    """Where streams do not come through, the page asks by itself."""
    page = visitor.page
    page.route("**/portal/live/list-events*", lambda route: route.abort())
    page.goto(f"{live.url}{LIST}")
    submitted(live, "Trio")
    page.get_by_role("link", name="Trio").wait_for()
    visitor.troubles = [text for text in visitor.troubles if "ERR_FAILED" not in text]


def test_many_by_keyboard(live: Live, page: Any) -> None:
    """Two are chosen, asked about and canceled with the keyboard alone; each is said of."""
    ids = [submitted(live, name) for name in ("One", "Two", "Three")]
    page.goto(f"{live.url}{LIST}")
    page.get_by_role("checkbox", name="Choose One").press("Space")
    page.get_by_role("checkbox", name="Choose Two").press("Space")
    assert "2 chosen" in page.locator("[data-count]").text_content()
    page.get_by_role("button", name="Cancel the chosen").press("Enter")
    page.get_by_role("heading", name="Cancel 2 worksets?").wait_for()
    assert {live.app.world.store.get(each).state for each in ids} == {"ready"}
    page.get_by_role("button", name="Cancel them").press("Enter")
    page.get_by_role("heading", name="Cancel: 2 of 2 done").wait_for()

    assert [live.app.world.store.get(each).state for each in ids] == ["canceled", "canceled", "ready"]


def test_what_it_costs(browser: Any) -> None:
    """The first page of many is small, and nothing on it moves while it loads."""
    with many(120) as live:
        found = cost(browser, live, LIST, DESK)
    assert found.transferred < MOST_BYTES
    assert found.shift <= MOST_SHIFT
