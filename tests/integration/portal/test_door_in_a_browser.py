"""The portal's door as people come to it: passwords, being signed out, and what was filled in."""

from typing import Any

import pytest
from tests.integration.http.live import Live
from tests.integration.portal.looking import inline_code, violations, width
from tests.integration.portal.site import submitted
from tests.integration.portal.visiting import PHONE, Visitor, session_cookie

from daylily.domain.customers import Role
from daylily.ports.identities import Member

pytestmark = pytest.mark.chromium

ADA = "ada@lab.example"
FIRST = "a-first-one-4711"
OWN = "a-fine-one-0815"


def fine(page: Any) -> None:
    """Check a page that only comes of a form, as every other page is checked."""
    assert inline_code(page) == []
    assert violations(page) == []


def test_a_first_day(live: Live, browser: Any) -> None:
    """From a first password over a choice of one's own to the page that was wanted, on a phone."""
    live.app.world.identities.add(Member(name=ADA, customer_id="local", role=Role.USER), FIRST)
    with Visitor.arriving(browser, live.url, cookie=None, viewport=PHONE) as visitor:
        page = visitor.page
        visitor.goes_to("/portal/worksets?state=waiting")
        page.get_by_role("textbox", name="Name").fill(ADA)
        page.get_by_role("textbox", name="Password").fill("not-the-right-one")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_text("The name or the password is wrong.").wait_for()
        fine(page)
        page.get_by_role("textbox", name="Password").fill(FIRST)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Choose a password of your own").wait_for()
        fine(page)
        page.get_by_label("New password").fill(OWN)
        page.get_by_label("The same once more").fill(OWN)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{live.url}/portal/worksets?state=waiting")
        assert page.get_by_label("State").input_value() == "waiting"
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out.").wait_for()
        visitor.goes_to("/portal")
        page.get_by_role("heading", name="Sign in").wait_for()
        visitor.expects_status(401)


def test_a_form_comes_back(live: Live, browser: Any) -> None:
    """Who was signed out before sending a form signs in, is asked, and sends it again."""
    identities = live.app.world.identities
    identities.add(Member(name=ADA, customer_id="local", role=Role.USER), FIRST)
    workset_id = submitted(live)
    with Visitor.arriving(browser, live.url, cookie=None) as visitor:
        page = visitor.page
        visitor.goes_to(f"/portal/worksets/{workset_id}/cancel")
        page.get_by_role("textbox", name="Name").fill(ADA)
        page.get_by_role("textbox", name="Password").fill(FIRST)
        page.keyboard.press("Enter")
        page.get_by_label("New password").fill(OWN)
        page.get_by_label("The same once more").fill(OWN)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Cancel Trio?").wait_for()
        visitor.context.clear_cookies(name="daylily_session")

        page.get_by_role("button", name="Cancel it").click()
        page.get_by_text("nothing has been done").wait_for()
        fine(page)
        assert width(page) <= 1200
        assert live.app.world.store.get(workset_id).state == "ready"
        page.get_by_role("textbox", name="Name").fill(ADA)
        page.get_by_role("textbox", name="Password").fill(OWN)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="You are signed in. Send it again?").wait_for()
        fine(page)
        page.get_by_role("button", name="Send it now").click()
        page.get_by_role("heading", name="Trio").wait_for()
        visitor.expects_status(401)
    assert live.app.world.store.get(workset_id).state == "canceled"


def test_a_page_that_was_left_open(live: Live, browser: Any) -> None:
    """Who is signed out beside an open page signs in beside it, and goes on where they were."""
    workset_id = submitted(live)
    cookie = session_cookie(live.url)
    with Visitor.arriving(browser, live.url, cookie=cookie) as visitor:
        page = visitor.page
        visitor.goes_to("/portal/worksets")
        page.get_by_role("checkbox", name="Choose Trio").check()
        visitor.context.clear_cookies(name="daylily_session")
        page.get_by_role("heading", name="You have been signed out").wait_for()
        fine(page)
        visitor.context.add_cookies([session_cookie(live.url)])
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        page.get_by_role("heading", name="You have been signed out").wait_for(state="hidden")

        assert page.get_by_role("checkbox", name="Choose Trio").is_checked()
        page.get_by_role("button", name="Cancel the chosen").click()
        page.get_by_role("button", name="Cancel it").click()
        page.get_by_role("heading", name="Cancel: 1 of 1 done").wait_for()
        visitor.expects_status(401)
    assert live.app.world.store.get(workset_id).state == "canceled"
