"""The portal as a person has it: a real browser, with its policies in force."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.integration.http.live import TOKEN, Live
from tests.integration.portal.site import submitted
from tests.integration.portal.visiting import Visitor

from daylily.domain.workset import Progress
from daylily.ports.state_store import Filter

pytestmark = pytest.mark.chromium

REPORT = b"""<!doctype html><title>Report</title><h1>Quality</h1><style>h1 { color: red }</style>
<script>parent.document.title = "broken out"</script><img src=x onerror="parent.document.title='out'">
<form action="/portal/logout" method="post"><button>Press</button></form>"""


def test_a_first_workset_comes_up_by_itself(live: Live, page: Any) -> None:
    """The empty page says what to do, and shows the workset once it is there, and how it fares."""
    page.goto(f"{live.url}/portal/worksets")
    assert page.get_by_text("No worksets yet").is_visible()
    workset_id = submitted(live, samples=3)
    page.get_by_role("link", name="Trio").wait_for()
    live.app.cycle()
    live.compute.report(f"{workset_id}/1", Progress(1, 3, "S0"))
    live.app.cycle()
    page.get_by_text("1 of 3").wait_for()
    assert "is now in progress" in page.locator("#news").text_content()
    live.end(workset_id)
    page.locator("td").get_by_text("complete", exact=True).wait_for()


def test_times_are_in_the_readers_zone(live: Live, browser: Any) -> None:
    """A time is shown as a clock on the wall has it, and in UTC to who points at it."""
    submitted(live)
    at = live.app.world.store.list(Filter()).items[0].created_at
    context = browser.new_context(timezone_id="Asia/Kathmandu", locale="en-GB")
    page = context.new_page()
    page.goto(f"{live.url}/portal/worksets")
    page.get_by_role("textbox", name="Access token").fill(TOKEN)
    page.keyboard.press("Enter")
    time = page.locator("time").first
    time.wait_for()
    page.wait_for_function("!document.querySelector('time').textContent.includes('UTC')")
    local = at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{local:%H:%M}" in time.text_content()
    assert time.get_attribute("title") == f"{at:%Y-%m-%d %H:%M:%S} UTC"
    context.close()


def test_cancel_by_keyboard(live: Live, page: Any) -> None:
    """From the list to a canceled workset without a mouse, and with a question in between."""
    workset_id = submitted(live)
    page.goto(f"{live.url}/portal/worksets")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Trio").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Cancel").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Cancel Trio?").wait_for()
    assert live.app.world.store.get(workset_id).state == "ready"
    page.get_by_role("button", name="Cancel it").press("Enter")
    page.wait_for_url(f"{live.url}/portal/worksets/{workset_id}")

    assert page.locator(".summary").get_by_text("canceled").is_visible()
    assert live.app.world.store.get(workset_id).state == "canceled"


def test_a_log_grows(live: Live, page: Any) -> None:
    """The log of a running workset goes on by itself, from its first line on, and ends with it."""
    workset_id = submitted(live)
    page.goto(f"{live.url}/portal/worksets/{workset_id}")
    page.get_by_text("Nothing has been written yet.").wait_for()
    live.app.cycle()
    page.get_by_role("heading", name="Log of attempt 1").wait_for()
    live.compute.write(f"{workset_id}/1", "first line\n")
    page.get_by_text("first line").wait_for()
    live.compute.write(f"{workset_id}/1", "<img src=x onerror=alert(1)>\n")
    page.get_by_text("<img src=x").wait_for()
    live.end(workset_id)
    page.locator("#log[data-ended=yes]").wait_for()
    assert page.locator("#log img").count() == 0


def test_a_report_cannot_break_out(live: Live, visitor: Visitor) -> None:
    """A report is readable in its frame, and nothing that it holds runs, loads or sends anything."""
    page, workset_id = visitor.page, submitted(live)
    live.app.cycle()
    live.app.world.objects.put(f"worksets/{workset_id}/results/attempt-1/report.html", REPORT)
    live.end(workset_id)
    page.goto(f"{live.url}/portal/worksets/{workset_id}")
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Quality").wait_for()
    frame.get_by_role("button", name="Press").click()
    page.goto(f"{live.url}/portal/worksets/{workset_id}/files/report.html")
    page.get_by_role("button", name="Press").click()
    page.goto(f"{live.url}/portal/worksets")

    assert page.get_by_role("heading", name="Worksets of all customers").is_visible()
    # The browser says what it kept the report from; that is as it should be, and nothing else is.
    said = ("sandbox", "Content Security", "img-src", "form-action", "script-src")
    blocked = [text for text in visitor.troubles if any(word in text for word in said)]
    assert blocked == visitor.troubles
    assert blocked
    visitor.troubles.clear()


def test_hostile_names(live: Live, page: Any) -> None:
    """A name that looks like a page's own code is shown as a name."""
    name = "<img src=x onerror=\"document.title='out'\"><script>document.title='out'</script>"
    submitted(live, name)
    page.goto(f"{live.url}/portal/worksets")
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()
    assert page.title() != "out"
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_a_page(live: Live, page: Any, scheme: str, tmp_path: Path) -> None:
    """On a phone no page is wider than the screen, whatever it has to show."""
    ids = [submitted(live, "x" * 100), submitted(live, "Trio")]
    live.app.cycle()
    live.end(ids[0], exit_code=65, message="y" * 300)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    for path in (
        "",
        "/worksets",
        f"/worksets/{ids[0]}",
        f"/worksets/{ids[1]}",
        f"/worksets/{ids[1]}/cancel",
    ):
        page.goto(f"{live.url}/portal{path}")
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_signed_out_means_signed_out(live: Live, page: Any) -> None:
    """After signing out no page can be had again, not even by going back."""
    page.goto(f"{live.url}/portal/worksets")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert "daylily_session" not in {cookie["name"] for cookie in page.context.cookies()}


def test_without_scripts(live: Live, browser: Any) -> None:
    """Every page and every form works where scripts do not run."""
    workset_id = submitted(live)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live.url}/portal/worksets/{workset_id}")
    page.get_by_role("textbox", name="Access token").fill(TOKEN)
    page.get_by_role("button", name="Sign in with the token").click()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    assert page.locator(".summary").get_by_text("canceled").is_visible()
    assert "UTC" in page.locator("time").first.text_content()
    context.close()
