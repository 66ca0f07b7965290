"""All that an operator does when something is amiss, in a browser; and what others get of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.http.live import TOKEN, Live
from tests.integration.portal.looking import inline_code, violations
from tests.integration.portal.site import REPORT, submitted
from tests.integration.portal.visiting import Visitor, session_cookie

from daylily.domain.customers import Customer, Role
from daylily.domain.workset import Progress
from daylily.ports.identities import Challenge, Member

pytestmark = pytest.mark.chromium

FIRST, OWN = "a-first-one-4711", "a-fine-one-0815"
HOSTILE = "<img src=x onerror=\"document.title='out'\">"


@pytest.fixture
def amiss(live: Live) -> Live:
    """A service on which one workset has failed and another is not heard of."""
    live.app.world.customers.add(Customer(customer_id="acme", name="Acme Genomics"))
    live.app.heart.cycle_done(took=timedelta(seconds=1), faults=0, rest=timedelta(seconds=30))
    return live


def token_of(live: Live, name: str, customer_id: str, role: Role) -> str:
    """Take somebody on, let them sign in, and return their token."""
    identities = live.app.world.identities
    identities.add(Member(name=name, customer_id=customer_id, role=role), FIRST)
    asked = identities.sign_in(name, FIRST)
    assert isinstance(asked, Challenge)
    return identities.answer(asked, OWN).token


@pytest.fixture
def operator(amiss: Live, browser: Any) -> Iterator[Visitor]:
    """The operator, at the door; at the end nothing may have gone against a policy or failed."""
    with Visitor.arriving(browser, amiss.url, cookie=None, accept_downloads=True) as visitor:
        yield visitor


def test_from_the_door_to_a_sound_ledger(amiss: Live, operator: Visitor, tmp_path: Path) -> None:
    """A failure is understood, tried again and watched; the ledger is mended, and a quota changed."""
    failed, silent = submitted(amiss, "Tumour and normal", samples=2), submitted(amiss, "Exomes")
    amiss.app.cycle()
    amiss.compute.write(f"{failed}/1", "reading S0\nno space left on device: S1\n")
    amiss.end(failed, exit_code=1, message="No space left on device\nwhile reading S1")
    store = amiss.app.world.store
    while (spent := store.get(failed)).retry_at is not None:  # until its retries are used up
        store.save(spent.retry_due(at=spent.retry_at, actor="time"))
        amiss.app.cycle()
        amiss.end(failed, exit_code=1, message="No space left on device\nwhile reading S1")
    store.save(store.get(silent).with_unknown(amiss.app.world.clock() - timedelta(minutes=20)))

    # The door, the fleet, and what is wrong with it.
    page = operator.page
    operator.goes_to("/portal/fleet")
    page.get_by_role("textbox", name="Access token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Stuck or unknown").wait_for()
    assert page.get_by_role("link", name="Fleet").first.get_attribute("aria-current") == "page"
    assert page.locator("#stuck-" + silent).is_visible()
    assert page.get_by_text("live", exact=True).is_visible()
    assert violations(page) == inline_code(page) == []
    page.locator("#error-" + failed).click()

    # Why it failed, and what its log says of that.
    alert = page.locator(".alert").first
    alert.get_by_text("No space left on device").first.wait_for()
    assert "Free room on the disk" in alert.text_content()
    assert "WS-RES-002" in alert.text_content()
    page.get_by_role("link", name="1", exact=True).click()
    page.get_by_role("heading", name="Log of attempt 1").wait_for()
    page.get_by_role("searchbox", name="Find in the whole log").fill("NO SPACE")
    page.keyboard.press("Enter")
    assert page.locator("mark").text_content() == "no space"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "log")
    assert (tmp_path / "log").read_text() == "reading S0\nno space left on device: S1\n"
    page.get_by_role("link", name="Overview").click()

    # Tried again, and watched: nobody reloads the page.
    page.get_by_role("link", name="Retry").click()
    page.get_by_label("Reason").fill("made room")
    page.get_by_role("button", name="Retry it").click()
    page.get_by_text("the next cycle of a monitor launches it").first.wait_for()
    amiss.app.cycle()
    page.get_by_role("heading", name="Log of attempt 5").wait_for()
    amiss.compute.write(f"{failed}/5", f"reading {HOSTILE}\n")
    page.locator("#log", has_text="reading <img").wait_for()
    amiss.compute.report(f"{failed}/5", Progress(1, 2, HOSTILE))
    amiss.app.cycle()
    page.get_by_text("1 of 2").first.wait_for()
    results = f"worksets/{failed}/results/attempt-5"
    amiss.app.world.objects.put(f"{results}/report.html", REPORT)
    amiss.app.world.objects.put(f"{results}/{HOSTILE.replace('/', '_')}.txt", HOSTILE.encode())
    amiss.end(failed)
    page.locator(".summary .badge", has_text="complete").wait_for()
    page.frame_locator("iframe").get_by_role("heading", name="Quality").wait_for()
    page.get_by_role("link", name=f"{HOSTILE}.txt", exact=True).click()
    page.locator("pre", has_text=HOSTILE).wait_for()
    page.get_by_role("link", name="Who did what").click()
    page.get_by_role("rowheader", name="retryWorkset").wait_for()
    assert page.locator("main img").count() == 0
    assert "out" not in page.title()

    # The ledger, from what differs to agreement.
    waiting = submitted(amiss, "Lost its sentinel")
    amiss.app.world.objects.delete(f"worksets/{waiting}/daylily.ready")
    page.get_by_role("link", name="Fleet", exact=True).click()
    page.get_by_role("link", name="Ledger").click()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("1 workset differs").wait_for()
    page.get_by_role("button", name="Say what would be mended").click()
    page.get_by_text("1 would mend").wait_for()
    page.get_by_role("link", name="Mend what differs").click()
    page.get_by_role("button", name="Mend it").click()
    page.get_by_text("1 mended").wait_for()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Store, directories and engines agree.").wait_for()

    # A quota, which holds from then on.
    page.get_by_role("link", name="Customers").click()
    page.get_by_role("link", name="Acme Genomics").click()
    page.get_by_label("Worksets at a time").fill("9")
    page.get_by_role("button", name="Save it").click()
    page.wait_for_url("**/fleet/customers/acme")
    assert page.get_by_label("Worksets at a time").input_value() == "9"
    assert amiss.app.world.customers.get("acme").max_concurrent_worksets == 9
    page.get_by_role("link", name="Who did what").click()
    page.get_by_text("changeCustomer").wait_for()


def test_a_customer_gets_none_of_it(amiss: Live, browser: Any) -> None:
    """Neither the operators' pages nor the way to them, nor anything of another tenant's workset."""
    workset_id = submitted(amiss, "Not theirs")
    amiss.app.cycle()
    amiss.app.world.objects.put(f"worksets/{workset_id}/results/attempt-1/report.html", REPORT)
    amiss.compute.write(f"{workset_id}/1", "a secret line\n")
    token = token_of(amiss, "eve@acme.example", "acme", Role.ADMIN)
    with Visitor.arriving(browser, amiss.url, cookie=session_cookie(amiss.url, token)) as eve:
        eve.goes_to("/portal/account")
        assert eve.page.get_by_role("link", name="Fleet").count() == 0
        for path in ("", "/ledger", "/ledger/repair", "/customers", "/customers/acme", "/notices"):
            assert eve.goes_to(f"/portal/fleet{path}").status == 403, path
        eve.expects_status(403)
        theirs = f"/portal/worksets/{workset_id}"
        for room in ("", "/log", "/log.txt", "/results", "/view/report.html", "/files/report.html"):
            assert eve.goes_to(f"{theirs}{room}").status == 404, room
        for room in ("/history", "/audit", "/inputs", "/cancel", "/retry"):
            assert eve.goes_to(f"{theirs}{room}").status == 404, room
        for path in ("/portal/usage?customer=local", "/portal/account?customer=local"):
            assert eve.goes_to(path).status == 404, path
        eve.expects_status(404)


def test_a_token_from_the_account_page_opens_the_api(operator: Visitor, amiss: Live) -> None:
    """It is shown once, to be copied; it works, and no longer once it is revoked."""
    import httpx

    operator.context.add_cookies([session_cookie(amiss.url)])
    page = operator.page
    operator.goes_to("/portal/account")
    page.get_by_label("Name of a new token").fill("sequencer 7")
    page.get_by_role("button", name="Make it").click()
    token = page.get_by_label("Token", exact=True).input_value()
    assert violations(page) == inline_code(page) == []
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{amiss.url}/api/auth/me", headers=headers).json()["scope"] == "read"
    operator.goes_to("/portal/account")
    assert token not in page.content()
    page.get_by_role("link", name="Revoke sequencer 7").click()
    page.get_by_role("button", name="Revoke it").click()
    page.get_by_text("revoked").wait_for()
    assert httpx.get(f"{amiss.url}/api/auth/me", headers=headers).status_code == 401
