"""All that a customer does, in a browser, from the door to a file in their hands; and a stranger."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.http.live import Live, serving
from tests.integration.portal.looking import inline_code, unreachable, violations
from tests.integration.portal.visiting import Visitor

from daylily.domain.customers import Customer, Role
from daylily.ports.identities import Member
from daylily.ports.state_store import Filter

pytestmark = pytest.mark.chromium

FIRST, OWN = "a-first-one-4711", "a-fine-one-0815"
READS = b"".join(b"@read-%d\nACGTACGTAC\n+\nIIIIIIIIII\n" % number for number in range(100))
SHEET = b"""sample,fastq_1,fastq_2
NA12878,child_R1.fastq,child_R2.fastq
NA 12891,father_R1.fastq,father_R2.fastq
NA12892,mother_R1.fastq,mother_R3.fastq
NA12892,child_R1.fastq,
"""
FILES = [f"{name}_R{read}.fastq" for name in ("child", "father", "mother") for read in "12"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Live]:
    """A server whose jobs are programs, with two customers, and a member of each."""
    with serving(tmp_path / "home", engine="local") as live:
        for name, customer_id in (("ada", "acme"), ("eve", "evil-corp")):
            live.app.world.customers.add(Customer(customer_id=customer_id, name=customer_id))
            member = Member(name=f"{name}@lab.example", customer_id=customer_id, role=Role.USER)
            live.app.world.identities.add(member, FIRST)
        yield live


def signs_in(page: Any, name: str) -> None:
    """Sign in with the password that one was given, and choose one of one's own."""
    page.get_by_label("Name", exact=True).fill(f"{name}@lab.example")
    page.get_by_label("Password", exact=True).fill(FIRST)
    page.get_by_role("button", name="Sign in", exact=True).click()
    for field in page.locator("input[type=password]").all():
        field.fill(OWN)
    page.locator("main button.main").click()


def ready(page: Any) -> None:
    """Wait until the page's script has taken over."""
    page.locator("#submit-form[data-ready]").wait_for()


def dropped(page: Any, *names: str, sheet: bytes = b"") -> None:
    """Drop files onto the page, as from a folder on the desk."""
    files = [*((name, READS) for name in names), *([("trio.csv", sheet)] if sheet else [])]
    data = page.evaluate_handle(
        """(files) => {
          const data = new DataTransfer();
          for (const [name, text] of files) data.items.add(new File([text], name));
          return data;
        }""",
        [(name, content.decode()) for name, content in files],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})


def until(page: Any, wanted: list[str]) -> None:
    """Wait until these cells are marked, and no others."""
    script = """(wanted) => JSON.stringify(wanted) === JSON.stringify(
      [...document.querySelectorAll(".grid [aria-invalid=true]")].map((each) => each.ariaLabel))"""
    page.wait_for_function(script, arg=wanted)


def test_from_the_door_to_the_report(house: Live, browser: Any, tmp_path: Path) -> None:
    """A sheet with three faults is mended and run to its end; another tenant sees nothing of it."""
    with Visitor.arriving(browser, house.url, cookie=None, accept_downloads=True) as ada:
        page = ada.page
        ada.goes_to("/portal/submit")
        signs_in(page, "ada")
        ready(page)

        dropped(page, *FILES, sheet=SHEET)
        until(page, ["Sample, row 2", "Reads 2, row 3", "Reads 1, row 4"])
        assert "is not a sample id" in page.locator("td.faulty").nth(0).text_content()
        assert "upload it first" in page.locator("td.faulty").nth(1).text_content()
        assert "is already used at row 1" in page.locator("td.faulty").nth(2).text_content()
        assert violations(page) == inline_code(page) == []

        page.get_by_label("Sample, row 2").fill("NA12891")
        until(page, ["Reads 2, row 3", "Reads 1, row 4"])
        page.get_by_label("Reads 2, row 3").fill("mother_R2.fastq")
        page.get_by_role("button", name="Remove row 4").click()
        until(page, [])
        page.get_by_text("3 rows, nothing wrong with them.").wait_for()
        page.get_by_label("Name of the workset").fill("The trio")
        normal = page.locator("[data-price=normal]").text_content()
        page.get_by_role("radio", name="urgent").check()
        page.locator("#estimate .sum", has_text="urgent").wait_for()
        assert normal not in page.locator("#estimate .sum").text_content()
        page.get_by_role("button", name="Review").click()

        page.get_by_role("heading", name="Submit The trio?").wait_for()
        assert violations(page) == inline_code(page) == unreachable(page) == []
        page.get_by_role("button", name="Submit", exact=True).dblclick()
        page.get_by_role("heading", name="The trio is submitted").wait_for()
        [workset] = house.app.world.store.list(Filter()).items
        assert page.locator("#workset-id").text_content() == workset.workset_id
        page.get_by_role("link", name="Watch it run").click()

        end = time.monotonic() + 300
        while house.app.world.store.get(workset.workset_id).state != "complete":
            assert time.monotonic() < end, house.app.world.store.get(workset.workset_id)
            house.app.cycle()
            page.wait_for_timeout(200)
        page.locator(".badge", has_text="complete").first.wait_for()
        page.reload()
        report = page.frame_locator("iframe").first
        report.get_by_text("NA12891").first.wait_for()
        page.goto(f"{house.url}/portal/worksets/{workset.workset_id}/results")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").first.click()
        download.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").stat().st_size > 0
        page.goto(f"{house.url}/portal/files?folder=uploads")
        page.locator("tbody th a").first.click()
        assert page.locator("tbody tr").count() == len(FILES)
        address = page.locator("tbody th a").first.get_attribute("href")

    with Visitor.arriving(browser, house.url, cookie=None) as eve:
        eve.goes_to("/portal/worksets")
        signs_in(eve.page, "eve")
        eve.page.get_by_text("No worksets yet").wait_for()
        for path in (
            f"/portal/worksets/{workset.workset_id}",
            f"/portal/submitted/{workset.workset_id}",
            f"/portal/worksets/{workset.workset_id}/results",
            address,
            address.replace("look", "download"),
        ):
            assert eve.goes_to(path).status == 404, path
        eve.expects_status(404)
        eve.goes_to("/portal/files")
        eve.page.get_by_text("Nothing is here yet").wait_for()
