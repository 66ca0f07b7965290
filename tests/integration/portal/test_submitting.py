"""The pages on which worksets are put together and files go up, with what may go wrong on the way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve, frozen
from tests.integration.http.live import Live
from tests.integration.portal.visiting import Visitor, session_cookie

from daylily.adapters.formats.stage_sheet import COLUMN_OF
from daylily.adapters.pieced_transfers import PiecedTransfers
from daylily.domain.customers import Customer, Role
from daylily.ports.identities import Challenge, Member
from daylily.ports.object_store import ObjectInfo
from daylily.ports.state_store import Filter
from daylily.ports.transfers import Part, Upload

pytestmark = pytest.mark.chromium

READS = b"@read-1\nACGT\n+\nIIII\n"
MIB = 1 << 20


def put(live: Live, *names: str) -> None:
    """Have files among the operator's own."""
    for name in names:
        live.app.world.objects.put(f"files/local/{name}", READS)


def keys(live: Live) -> list[str]:
    """Return what is among the operator's own files."""
    place = "files/local/"
    return [each.key.removeprefix(place) for each in live.app.world.objects.list(place).items]


def opened(visitor: Visitor, path: str = "/portal/submit") -> Any:
    """Open the page, and wait until its script has taken over."""
    visitor.goes_to(path)
    visitor.page.locator("#submit-form[data-ready]").wait_for()
    return visitor.page


def marked(page: Any, *cells: str) -> None:
    """Wait until these cells are marked, and no others."""
    script = """(wanted) => JSON.stringify(wanted) === JSON.stringify(
      [...document.querySelectorAll(".grid [aria-invalid=true]")].map((each) => each.ariaLabel))"""
    page.wait_for_function(script, arg=[*cells])


def forgive(visitor: Visitor, *words: str) -> None:
    """Leave the page; what was complained of there has to be what a test has brought about."""
    visitor.goes_to("/portal")
    assert [text for text in visitor.troubles if not any(word in text for word in words)] == []
    visitor.troubles.clear()


def test_without_scripts(live: Live, browser: Any, visitor: Visitor) -> None:
    """Where no script runs, a pasted sheet is mended and submitted by the same form."""
    put(live, "a_R1.fastq", "a_R2.fastq")
    cookies = visitor.context.cookies()
    with Visitor.arriving(browser, live.url, cookie=cookies[0], java_script_enabled=False) as plain:
        page = plain.page
        plain.goes_to("/portal/submit")
        page.get_by_label("Paste a sheet").fill("sample,fastq_1,fastq_2\na b,a_R1.fastq,a_R2.fastq\n")
        page.get_by_label("Name of the workset").fill("By hand")
        page.get_by_role("button", name="Review").click()
        assert "is not a sample id" in page.locator("td.faulty").text_content()
        assert page.get_by_label("Name of the workset").input_value() == "By hand"
        page.get_by_label("Sample, row 1").fill("NA1")
        page.get_by_role("button", name="Review").click()
        page.get_by_role("button", name="Submit", exact=True).click()
        page.get_by_role("heading", name="By hand is submitted").wait_for()
        plain.expects_status(422)
    assert len(live.app.world.store.list(Filter()).items) == 1


def test_written_by_hand_and_by_keyboard(live: Live, visitor: Visitor) -> None:
    """Cells of a spreadsheet fill cells, columns are added, faults are walked through, drafts stay."""
    put(live, "a_R1.fastq", "b_R1.fastq")
    page = opened(visitor)
    first = page.get_by_label("Sample, row 1")
    first.focus()
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          const said = { clipboardData: data, bubbles: true, cancelable: true };
          const event = new ClipboardEvent("paste", said);
          document.activeElement.dispatchEvent(event);
        }""",
        "A\t\ta_R1.fastq\nB!\t\tb_R1.fastq\nC\t\tgone.fastq\n",
    )
    marked(page, "Sample, row 2", "Reads 1, row 3")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "Sample, row 2"
    page.get_by_role("button", name="Next fault").press("Enter")
    page.get_by_role("button", name="Next fault").press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "Reads 1, row 3"
    page.get_by_label("Add a column").select_option("coverage")
    page.get_by_label("Coverage (x), row 1").fill("<b>deep</b>")
    marked(page, "Coverage (x), row 1", "Sample, row 2", "Reads 1, row 3")
    assert page.locator("main b").count() == 0
    page.get_by_role("button", name="Only rows with faults").click()
    assert page.locator(".grid tbody tr").count() == 3

    page.get_by_label("Name of the workset").fill("Half done")
    page.get_by_label("Name of the workset").blur()
    opened(visitor)
    marked(page, "Coverage (x), row 1", "Sample, row 2", "Reads 1, row 3")
    assert page.get_by_label("Name of the workset").input_value() == "Half done"
    page.get_by_role("button", name="Start anew").click()
    page.locator("#submit-form[data-ready]").wait_for()
    marked(page)
    assert page.get_by_label("Name of the workset").input_value() == ""


def test_a_draft_is_its_writers(live: Live, visitor: Visitor) -> None:
    """Whoever signs in next in the same window is shown nothing of what was begun there."""
    page = opened(visitor)
    page.get_by_label("Sample, row 1").fill("SECRET")
    marked(page, "Reads 1, row 1")
    live.app.world.customers.add(Customer(customer_id="acme", name="acme"))
    identities = live.app.world.identities
    identities.add(Member(name="eve", customer_id="acme", role=Role.USER), "a-first-one-4711")
    asked = identities.sign_in("eve", "a-first-one-4711")
    assert isinstance(asked, Challenge)
    token = identities.answer(asked, "a-fine-one-0815").token
    own = visitor.context.cookies()
    visitor.context.add_cookies([session_cookie(live.url, token)])
    assert opened(visitor).get_by_label("Sample, row 1").input_value() == ""
    visitor.context.add_cookies(own)
    assert opened(visitor).get_by_label("Sample, row 1").input_value() == "SECRET"


def test_ten_thousand_rows(live: Live, visitor: Visitor) -> None:
    """A large sheet is shown a hundred rows at a time, and its fault found among them."""
    page = opened(visitor)
    rows = [f"S{number},{number}_R1.fastq," for number in range(10_000)]
    rows[7_654] = "no id,x_R1.fastq,"
    sheet = "sample,fastq_1,fastq_2\n" + "\n".join(rows)
    page.locator("#choose").set_input_files(
        [{"name": "big.csv", "mimeType": "text/csv", "buffer": sheet.encode()}]
    )
    page.get_by_text("1 to 100 of 10000 rows").wait_for()
    page.get_by_role("button", name="Next fault").click()
    page.get_by_text("7601 to 7700 of 10000 rows").wait_for()
    marked(page, "Sample, row 7655")
    assert page.locator(".grid tbody tr").count() == 100


@pytest.mark.parametrize("width", [1280, 1000, 800, 390])
def test_a_wide_sheet_scrolls_in_its_card(visitor: Visitor, width: int) -> None:
    """However many columns a sheet has, the page is no wider than the window."""
    page = opened(visitor)
    page.set_viewport_size({"width": width, "height": 900})
    columns = [*COLUMN_OF.values()]
    sheet = "\n".join("\t".join(line) for line in (columns, [f"{name}-1" for name in columns]))
    page.locator("#choose").set_input_files(
        [{"name": "stage_samples.tsv", "mimeType": "", "buffer": sheet.encode()}]
    )
    page.get_by_label("Barcode, row 1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    region = page.get_by_role("region", name="Samples", exact=True)
    table, estimate = region.bounding_box(), page.locator("aside .card").bounding_box()
    assert table["x"] + table["width"] <= estimate["x"] or table["y"] + table["height"] <= estimate["y"]
    if width > 704:
        region.focus()
        assert region.evaluate(
            "(one) => one === document.activeElement && one.scrollWidth > one.clientWidth"
        )


def test_what_is_refused_leaves_nothing(visitor: Visitor) -> None:
    """A workbook and an empty sheet are told of; no name and no draft comes of them."""
    page = opened(visitor)
    files = [("s.xlsx", b"PK"), ("empty.tsv", b"")]
    page.locator("#choose").set_input_files(
        [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    )
    page.get_by_text("s.xlsx: is a workbook. Save it as CSV or TSV").wait_for()
    page.get_by_text("empty.tsv: is empty").wait_for()
    assert page.get_by_label("Name of the workset").input_value() == ""
    opened(visitor)
    assert not page.locator("#kept").is_visible()


def test_a_mended_sheet_in_place_of_the_first(live: Live, visitor: Visitor) -> None:
    """All rows go at once, and come back if that was a mistake; a sheet taken anew stands alone."""
    put(live, "a_R1.fastq", "b_R1.fastq")
    page = opened(visitor)

    def takes(*lines: str) -> None:
        sheet = "\n".join(("sample,fastq_1,fastq_2", *lines)).encode()
        page.locator("#choose").set_input_files([{"name": "s.csv", "mimeType": "", "buffer": sheet}])

    takes("A$,a_R1.fastq,", "B,b_R1.fastq,")
    marked(page, "Sample, row 1")
    page.get_by_role("button", name="Remove all rows").click()
    marked(page)
    page.keyboard.press("Enter")  # the way back has the focus
    marked(page, "Sample, row 1")
    assert page.get_by_label("Sample, row 2").input_value() == "B"
    page.get_by_role("button", name="Remove all rows").click()
    takes("A,a_R1.fastq,", "B,b_R1.fastq,")
    page.get_by_text("2 rows, nothing wrong with them.").wait_for()
    assert not page.get_by_role("button", name="Bring back").is_visible()


def test_back_and_anew(live: Live, visitor: Visitor) -> None:
    """No step of it ends in the browser's own pages: loaded anew, or come back to, it is there."""
    put(live, "a_R1.fastq")
    page = opened(visitor)
    page.get_by_label("Sample, row 1").fill("A")
    page.get_by_label("Reads 1, row 1").fill("a_R1.fastq")
    page.get_by_role("button", name="Review").click()
    page.locator("[aria-invalid=true]").first.wait_for()  # it has no name yet
    visitor.expects_status(422)
    page.reload()
    page.get_by_text("What you had begun is still here.").wait_for()
    page.get_by_label("Name of the workset").fill("Back")
    page.get_by_role("button", name="Review").click()
    page.get_by_role("heading", name="Submit Back?").wait_for()
    page.reload()
    page.get_by_text("What you had begun is still here.").wait_for()
    page.get_by_role("button", name="Review").click()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("heading", name="Back is submitted").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Submit a workset").wait_for()
    assert page.get_by_label("Sample, row 1").input_value() == ""
    assert len(live.app.world.store.list(Filter()).items) == 1


def test_a_missing_mate_in_a_browser(visitor: Visitor) -> None:
    """The sample of a first read is known, its mate asked for, and that it lacks is said at the end."""
    page = opened(visitor)
    page.locator("#choose").set_input_files(
        [{"name": "LAMBDA-C_R1.fastq", "mimeType": "", "buffer": READS}]
    )
    page.locator("td.hinted[data-column=r2_file]").get_by_text("missing mate").wait_for()
    marked(page)
    assert page.get_by_label("Sample, row 1").input_value() == "LAMBDA-C"
    page.get_by_label("Name of the workset").fill("Half")
    page.get_by_role("button", name="Review").click()
    page.get_by_text("LAMBDA-C: read 1 only").wait_for()


def test_picked_from_ones_own(live: Live, visitor: Visitor) -> None:
    """Files that are there already are ticked, folder by folder, and come as pairs."""
    put(live, "run 7/a_R1.fastq", "run 7/a_R2.fastq", "b.fastq")
    page = opened(visitor)
    page.get_by_role("button", name="Pick from my files").click()
    page.get_by_label("b.fastq").check()
    page.get_by_role("link", name="run 7/").click()
    for read in "12":
        page.get_by_label(f"a_R{read}.fastq").check()
    page.get_by_role("button", name="Add samples").click()
    page.get_by_text("2 rows, nothing wrong with them.").wait_for()
    page.locator("#choose").set_input_files([{"name": "x_R2.fastq", "mimeType": "", "buffer": READS}])
    page.get_by_text("missing mate: there is no read 1 of 'x'").wait_for()
    marked(page, "Sample, row 3")
    page.get_by_label("Sample, row 3").fill("X")
    page.get_by_text("3 rows, nothing wrong with them.").wait_for()
    assert page.get_by_text("missing mate: there is no read 1 of 'x'").is_visible()
    assert page.get_by_label("Reads 2, row 1").input_value() == "run 7/a_R2.fastq"


def test_an_upload_goes_on_after_a_reload(live: Live, visitor: Visitor, tmp_path: Path) -> None:
    """What had come before the line broke is not sent again, though the page was loaded anew."""
    page = visitor.page
    file = tmp_path / "big.fastq"
    file.write_bytes(READS * (20 * MIB // len(READS)))
    sent: list[str] = []
    broken = threading.Event()

    def over_the_line(route: Any) -> None:
        offset = route.request.headers.get("upload-offset", "")
        sent.append(offset)
        if offset == str(8 * MIB) and not broken.is_set():
            route.abort()
        else:
            route.continue_()

    page.on("dialog", lambda dialog: dialog.accept())
    page.route(
        "**/uploads/*", lambda r: over_the_line(r) if r.request.method == "PATCH" else r.continue_()
    )
    opened(visitor)
    page.locator("#choose").set_input_files(file)
    page.get_by_text("going on in a moment").wait_for()
    broken.set()
    opened(visitor)
    page.get_by_text("Choose these files again").wait_for()
    assert page.get_by_label("Reads 1, row 1").input_value() == "big.fastq"
    page.locator("#choose").set_input_files(file)
    page.locator("#uploads [data-state=done]").wait_for()

    assert sent.count("0") == 1
    [key] = keys(live)
    assert live.app.world.objects.info(f"files/local/{key}").size == file.stat().st_size
    page.get_by_text("1 row, nothing wrong with them.").wait_for()
    forgive(visitor, "ERR_FAILED")


def test_the_review_waits_for_uploads(live: Live, visitor: Visitor) -> None:
    """A file on its way is no fault, and whoever goes on before it has come is taken there with it."""
    page, held = visitor.page, []
    page.route(
        "**/uploads/*", lambda r: held.append(r) if r.request.method == "PATCH" else r.continue_()
    )
    opened(visitor)
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.locator("#choose").set_input_files([{"name": "a.fastq", "mimeType": "", "buffer": READS}])
    page.get_by_text("1 row, nothing wrong with them.").wait_for()
    page.get_by_label("Name of the workset").fill("Late")
    page.get_by_role("button", name="Review").click()
    page.get_by_text("Goes on by itself once the upload has come through").wait_for()
    assert keys(live) == []
    for route in held:
        route.continue_()
    page.get_by_role("heading", name="Submit Late?").wait_for()
    assert page.locator("td.code", has_text="uploads/").count() == 1


def test_yaml_by_hand(live: Live, visitor: Visitor) -> None:
    """A file is made of what was typed, with its faults in their cells, and copied by a button."""
    page = visitor.page
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    visitor.goes_to("/portal/yaml")
    page.get_by_role("button", name="Add a row").wait_for()
    page.get_by_label("Sample, row 1").fill("N 1")
    page.get_by_label("Reads 1, row 1").fill("a.fastq")
    page.get_by_role("button", name="Make the file").click()
    marked(page, "Sample, row 1")
    visitor.expects_status(422)
    page.get_by_label("Sample, row 1").fill("N1")
    page.get_by_role("button", name="Make the file").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    assert "sample_id: N1" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Submit it here").click()
    page.locator("#submit-form[data-ready]").wait_for()
    assert page.get_by_label("Sample, row 1").input_value() == "N1"


def test_uploads_on_the_page_of_files(live: Live, visitor: Visitor) -> None:
    """Several files go up at once; one whose name is ours is refused in words, and may not go on."""
    page = visitor.page
    visitor.goes_to("/portal/files?folder=run")
    page.locator("#drop-hint:visible").wait_for()
    files = [
        {"name": name, "mimeType": "", "buffer": READS}
        for name in ("a.fastq", "\u202eb.fastq", "daylily.lock")
    ]
    page.locator("#file").set_input_files(files)
    page.get_by_text("is a name that daylily itself uses").wait_for()
    page.get_by_text("holds a character that turns text around").wait_for()
    page.locator("#uploads [data-state=done]").wait_for()
    assert keys(live) == ["run/a.fastq"]
    visitor.expects_status(422)
    empty = {"name": "empty.fastq", "mimeType": "", "buffer": b""}
    page.locator("#file").set_input_files([empty])
    page.get_by_text("is empty: choose another").wait_for()


@frozen(eq=False)
class Bucket(PiecedTransfers):
    """A store that takes parts itself; here it hands them on to ours, once all of them have come."""

    url: str = ""
    parts: dict[str, bytes] | None = None
    """By the number of each."""

    def begin(self, key: str, size: int) -> Upload:
        """See Transfers.begin."""
        return Upload(key=key, size=size, token="t", part_size=5)

    def part_url(self, upload: Upload, number: int, *, lasting: timedelta) -> str:
        """See Transfers.part_url."""
        return f"{self.url}/part?number={number}"

    def offset(self, upload: Upload) -> int:
        """See Transfers.offset."""
        return 0

    def abort(self, upload: Upload) -> None:
        """See Transfers.abort."""

    def complete(self, upload: Upload, parts: Any) -> ObjectInfo:
        """See Transfers.complete."""
        assert self.parts is not None
        assert [*parts] == [Part(n, f'"etag-{n}"') for n in range(1, upload.parts + 1)]
        return self.objects.put(upload.key, b"".join(self.parts[str(part.number)] for part in parts))


@contextmanager
def bucket_of(live: Live, *, lets_pages_in: bool) -> Iterator[Bucket]:
    """Have the service's uploads go to a store at an address of its own."""
    parts: dict[str, bytes] = {}

    class Store(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            number = parse_qs(urlsplit(self.path).query)["number"][0]
            if self.command == "PUT":
                parts[number] = self.rfile.read(size)
            self.send_response(200)
            if lets_pages_in:
                self.send_header("Access-Control-Allow-Origin", live.url)
                self.send_header("Access-Control-Allow-Methods", "PUT")
                self.send_header("Access-Control-Allow-Headers", "content-type")
                self.send_header("Access-Control-Expose-Headers", "ETag")
            self.send_header("ETag", f'"etag-{number}"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_OPTIONS = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app = live.app
    transfers = app.uploads.transfers
    assert isinstance(transfers, PiecedTransfers)
    url = f"http://127.0.0.1:{server.server_port}"
    bucket = Bucket(transfers.objects, transfers.folder, transfers.clock, url, parts)
    uploads = evolve(app.uploads, transfers=bucket)
    # Routes are handed the App that was served: it is what has to say something else for a while.
    object.__setattr__(app, "uploads", uploads)
    try:
        yield bucket
    finally:
        object.__setattr__(app, "uploads", evolve(uploads, transfers=transfers))
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("lets_pages_in", [True, False])
def test_straight_to_the_store(live: Live, visitor: Visitor, lets_pages_in: bool) -> None:
    """Parts go to the store at its own address; where it lets no page in, all goes through us."""
    with bucket_of(live, lets_pages_in=lets_pages_in) as bucket:
        page = opened(visitor)
        page.locator("#choose").set_input_files([{"name": "a.fastq", "mimeType": "", "buffer": READS}])
        page.get_by_text("1 row, nothing wrong with them.").wait_for()
        page.locator("#uploads [data-state=done]").wait_for()
        [key] = keys(live)
        with live.app.world.objects.open(f"files/local/{key}") as file:
            assert file.read() == READS
        assert len(bucket.parts or {}) == (4 if lets_pages_in else 0)
        assert visitor.hosts == {urlsplit(live.url).netloc, urlsplit(bucket.url).netloc}
    forgive(visitor, *([] if lets_pages_in else ["CORS", "ERR_FAILED"]))
    visitor.hosts.discard(urlsplit(bucket.url).netloc)
