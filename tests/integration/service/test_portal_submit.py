"""The page that puts worksets together: what it marks, what it keeps, and that it submits once."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import evolve
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import READS, Service
from tests.integration.service.test_portal_pages import HOSTILE, Page, safe

from daylily.domain.customers import Principal
from daylily.domain.manifest import REFERENCE_GENOMES
from daylily.entrypoints.portal.drafts import GENOMES, PRIORITIES
from daylily.entrypoints.portal.sample_table import TITLES
from daylily.ports.state_store import Filter

SHEET = "sample,fastq_1,fastq_2\nNA1,a_R1.fastq,a_R2.fastq\nbad id!,b_R1.fastq,\nNA3,gone.fastq,x.txt\n"
SOUND = "sample,fastq_1,fastq_2\nNA1,a_R1.fastq,a_R2.fastq\n"
CHOICES = {
    "workset_name": "Trio",
    "pipeline_type": "fastq-qc",
    "reference_genome": "GRCh38",
    "priority": "normal",
}


@pytest.fixture
def browser(service: Service) -> Iterator[Any]:
    """A client that is signed in to the portal, with files among its own."""
    for name in ("a_R1.fastq", "a_R2.fastq", "b_R1.fastq"):
        service.app.world.objects.put(f"files/local/{name}", READS)
    with service.client(None) as client:
        sign_in(client)
        yield client


def sent(browser: Any, step: str, **fields: str | bytes) -> Any:
    """Send the form as a browser without scripts does; bytes are an attached sheet."""
    csrf = csrf_of(browser.get("/portal/submit"))
    parts: list[Any] = []
    for name, value in {"csrf": csrf, "step": step, "sheet": b"", **fields}.items():
        file = (
            "s.csv" if value and isinstance(value, bytes) else "" if isinstance(value, bytes) else None
        )
        parts.append((name, (file, value)))
    return browser.post("/portal/submit", files=parts)


def fields_of(answer: Any) -> dict[str, str]:
    """Return what the form on a page would send, but for its buttons."""
    page = Page(answer.text)
    found = {}
    for each in page.all("input"):
        if each.get("type") in {"radio", "checkbox"} and "checked" not in each:
            continue
        if each.get("name") and each.get("type") != "file":
            found[str(each["name"])] = each.get("value") or ""
    return found


def reviewed(browser: Any, **fields: str) -> dict[str, str]:
    """Return the form that submits, after all was sound."""
    answer = sent(browser, "review", sheet_text=SOUND, **{**CHOICES, **fields})
    assert answer.status_code == 200, answer.text
    return fields_of(answer)


def submit(browser: Any, form: dict[str, str]) -> Any:
    """Press the last button."""
    path = "/portal/submitted" if "once" in form else "/portal/submit"
    return browser.post(path, files=[(k, (None, v)) for k, v in form.items()])


def worksets(service: Service) -> list[str]:
    """Return the ids of all there are."""
    return [each.workset_id for each in service.app.world.store.list(Filter()).items]


def faults_of(answer: Any) -> dict[str, str]:
    """Return the marked cells of a page: what each is called, and the message beside it."""
    page = safe(answer)
    cells = [each for each in page.all("input") if "aria-invalid" in each and "aria-label" in each]
    messages = dict(re.findall(r'<p class="fault" id="([^"]+)">([^<]*)</p>', answer.text))
    return {str(each["aria-label"]): messages[str(each["aria-describedby"])] for each in cells}


def test_an_empty_form(browser: Any) -> None:
    """Nothing is wrong before anything was written; what can be chosen is described in words."""
    answer = browser.get("/portal/submit")

    page = safe(answer)
    assert faults_of(answer) == {}
    assert "things to mend" not in page.text
    for words in (*GENOMES.values(), *PRIORITIES.values(), "Read counts, lengths", "$0.08 a vCPU-hour"):
        assert words in page.text
    assert GENOMES.keys() == set(REFERENCE_GENOMES)


@pytest.mark.parametrize("attached", [False, True])
def test_every_fault_in_its_cell(service: Service, browser: Any, attached: bool) -> None:
    """A sheet, pasted or attached, becomes a table with each fault at its cell; nothing is stored."""
    how: dict[str, str | bytes] = {"sheet": SHEET.encode()} if attached else {"sheet_text": SHEET}
    answer = sent(browser, "review", **CHOICES, **how)

    assert answer.status_code == 422
    faults = faults_of(answer)
    assert faults.keys() == {"Sample, row 2", "Reads 1, row 3", "Reads 2, row 3"}
    assert "is not among your files" in faults["Reads 1, row 3"]
    assert "3 things to mend" in answer.text
    assert worksets(service) == []


def test_cells_can_be_mended(service: Service, browser: Any) -> None:
    """What was typed stays, cells are mended on the page, and then all is shown once more."""
    form = fields_of(sent(browser, "check", sheet_text=SHEET, **CHOICES))
    assert form["workset_name"] == "Trio"
    form |= {
        "cell-1-sample_id": "NA2", "cell-2-sample_id": "", "cell-2-r1_file": "", "cell-2-r2_file": "",
        "step": "review",
    }  # fmt: skip
    answer = submit(browser, form)

    assert answer.status_code == 200
    page = safe(answer)
    for text in ("Submit Trio?", "3 FASTQ files", "NA2", "$4.99", "Fast disk while it runs"):
        assert text in " ".join(page.text.split())
    assert worksets(service) == []


def test_submitted_once(service: Service, browser: Any) -> None:
    """A double click makes one workset, and both clicks lead to it; so does coming back later."""
    form = reviewed(browser, notification_email="ada@example.org", tags="trio, 2026", max_retries="0")
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(lambda _: submit(browser, form), range(2))]
    answers.append(submit(browser, form))

    [workset_id] = worksets(service)
    assert {(each.status_code, each.headers["location"]) for each in answers} == {
        (303, f"/portal/submitted/{workset_id}")
    }
    root = Principal(name="root", customer_id="local", operator=True)
    told = {(each.action, each.target) for each in service.app.audit.list(root, "local").items}
    told.discard(("signIn", "/portal/login"))
    assert told == {("submitWorkset", answers[0].headers["location"])}  # and no look before it
    page = safe(browser.get(answers[0].headers["location"]))
    assert workset_id in page.text
    assert f"/portal/worksets/{workset_id}" in [link.get("href") for link in page.all("a")]
    stored = service.app.world.store.get(workset_id)
    assert (stored.notification_email, stored.tags, stored.max_retries) == (
        "ada@example.org", ("2026", "trio"), 0,
    )  # fmt: skip


def test_a_form_is_good_for_one_workset(service: Service, browser: Any) -> None:
    """Who goes back and changes what was submitted is shown it once more, under another key."""
    form = reviewed(browser)
    submit(browser, form)
    answer = submit(browser, {**form, "workset_name": "Another"})

    assert "submitted before, with something else in it" in answer.text
    assert len(worksets(service)) == 1
    again = fields_of(answer)
    assert again["workset_name"] == "Another"
    assert "once" not in again


def test_refused_at_the_last_moment(service: Service, browser: Any) -> None:
    """A file that went meanwhile is told at its cell, nothing is stored, and the form can be mended."""
    form = reviewed(browser)
    service.app.world.objects.delete("files/local/a_R2.fastq")
    answer = submit(browser, form)

    assert answer.status_code == 422
    assert faults_of(answer).keys() == {"Reads 2, row 1"}
    assert worksets(service) == []
    service.app.world.objects.put("files/local/a_R2.fastq", READS)
    assert submit(browser, form).status_code == 303


def test_no_room_is_told_on_the_page(service: Service) -> None:
    """Who has used up their room is told so above all that they have written."""
    service.app.world.objects.put("files/acme/a_R1.fastq", READS)
    customers = service.app.world.customers
    token = service.person("ada", "acme")
    with service.client(None) as client:
        sign_in(client, token)
        sheet = "a,a_R1.fastq,\n"
        form = fields_of(sent(client, "review", sheet_text=sheet, **CHOICES))
        acme = customers.get("acme")
        customers.save(acme, evolve(acme, max_storage_gb=1e-9))
        answer = submit(client, form)
    assert answer.status_code == 422
    assert "may store" in safe(answer).text
    assert worksets(service) == []


def test_forms_that_are_not_ours(service: Service, browser: Any) -> None:
    """Without the token, the key or a sound table nothing is done; nor is another kind of body."""
    form = reviewed(browser)
    for wrong, status in (
        ({"csrf": "x"}, 403), ({"once": ""}, 422), ({"once": "x y"}, 422), ({"table": "{"}, 422),
    ):  # fmt: skip
        assert submit(browser, {**form, **wrong}).status_code == status
    for path in ("submit", "submitted"):
        assert browser.post(f"/portal/{path}", data=form).status_code == 415
    for path in ("check", "sheet", "pairs"):
        answer = browser.post(f"/portal/submit/{path}", json={})
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
    assert worksets(service) == []


def asked(browser: Any, path: str, **how: Any) -> Any:
    """Ask as the page's script does."""
    csrf = csrf_of(browser.get("/portal/submit"))
    headers = {"x-csrf-token": csrf, **how.pop("headers", {})}
    answer = browser.post(f"/portal/submit/{path}", headers=headers, **how)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_checked_while_typing(browser: Any) -> None:
    """The script is told each fault with its row and column, and what it costs at which priority."""
    table = {
        "columns": ["sample_id", "lane", "r1_file", "r2_file", "coverage"],
        "rows": [
            ["NA1", "", "a_R1.fastq", "a_R2.fastq", "60"],
            ["NA1", "", "up.fastq", "late.fastq", "x"],
        ],
    }
    said = {
        **CHOICES,
        "workset_name": "",
        "table": table,
        "files": ["uploads/x/up.fastq", "uploads/x/late.fastq"],
    }
    told = asked(browser, "check", json={**said, "arriving": ["uploads/x/late.fastq"]})

    cells = {(row, column): message for row, column, message in told["cells"]}
    assert "must be a number" in cells[1, "coverage"]
    assert "is in 2 rows without a lane" in cells[1, "lane"]
    assert "'up.fastq' is not among your files" in cells[1, "r1_file"]
    assert (1, "r2_file") not in cells  # it is on its way
    assert told["fields"].keys() == {"workset_name"}
    assert told["prices"].keys() == {"urgent", "normal", "low"}
    assert told["prices"]["normal"] in told["estimate"]


def test_large_tables_are_checked_without_their_files(browser: Any) -> None:
    """Of thousands of rows, files are looked for at the review; all else is told at once."""
    rows = [[f"S{n}", "", f"{n}_R1.fastq", f"{n}_R2.fastq"] for n in range(10_000)]
    rows[9_999][0] = "bad id!"
    table = {"columns": ["sample_id", "lane", "r1_file", "r2_file"], "rows": rows}
    told = asked(browser, "check", json={**CHOICES, "table": table})

    assert [cell[:2] for cell in told["cells"]] == [[9_999, "sample_id"]]


def test_sheets_and_pairs_for_the_script(browser: Any) -> None:
    """The script gets the cells of a sheet, and samples of names, with what is to be said of them."""
    sheet = asked(browser, "sheet", content=SHEET.encode(), headers={"x-file-name": "s%20%C3%A9.csv"})
    assert sheet["rows"][1] == ["bad id!", "", "b_R1.fastq", ""]
    assert sheet["notes"] == []
    odd = asked(browser, "sheet", content=b"sample,fastq_1,fastq_2,mood\na,a.fastq,,x\n")
    assert odd["notes"] == ["columns that mean nothing here are left out: mood"]
    pairs = asked(
        browser, "pairs", json={"keys": ["u/q_R1.fastq.gz", "u/q_R2.fastq.gz", "u/z_R2.fastq.gz"]}
    )
    assert pairs["rows"][0] == ["q", "", "u/q_R1.fastq.gz", "u/q_R2.fastq.gz"]
    assert "missing mate" in pairs["notes"][0]
    assert asked(browser, "pairs", json={"keys": 7})["rows"] == []


def test_picked_files(browser: Any) -> None:
    """Files that were ticked elsewhere are samples here, mates side by side."""
    form = fields_of(browser.get("/portal/submit?pick=a_R1.fastq&pick=a_R2.fastq&pick=notes.txt"))
    assert json.loads(form["table"])["rows"] == [["a", "", "a_R1.fastq", "a_R2.fastq"]]
    answer = browser.get("/portal/submit?pick=a_R2.fastq")
    assert "missing mate" in safe(answer).text


def test_more_rows(browser: Any) -> None:
    """Without scripts there is a button for more rows, which does not ask for what is missing."""
    answer = sent(browser, "rows", workset_name="", sheet_text="a,a_R1.fastq,\n")
    assert len([name for name in fields_of(answer) if name.endswith("-sample_id")]) == 6
    assert "must be 1 to 100" not in answer.text


def test_a_sheet_of_ten_thousand_rows(service: Service, browser: Any) -> None:
    """It is taken over whole; a page without scripts shows the first rows, and loses none."""
    lines = "".join(f"S{n},{n}.fastq,\n" for n in range(10_000))
    answer = sent(browser, "check", sheet=f"sample,fastq_1,fastq_2\n{lines}".encode())
    form = fields_of(answer)
    assert len(json.loads(form["table"])["rows"]) == 10_000
    assert len([name for name in form if name.endswith("-sample_id")]) == 100
    assert "Rows 101 to 10000 are kept" in safe(answer).text
    assert worksets(service) == []


@pytest.mark.parametrize("name", ["junk", "wide", "zeros"])
def test_ten_megabytes_of_junk(browser: Any, name: str) -> None:
    """What is no sheet is told so, in a moment, whatever it is; what was typed stays."""
    size = 10 << 20
    junk = {"junk": b"\x89" * size, "wide": b"," * size, "zeros": bytes(size)}[name]
    answer = sent(browser, "review", sheet=junk, **CHOICES)
    assert answer.status_code == 422
    assert fields_of(answer)["workset_name"] == "Trio"
    assert len(answer.content) < 1 << 20


@pytest.mark.parametrize(
    "text", [*HOSTILE, "=HYPERLINK(1)", "@SUM(A1)", "a\u202eqtsaf.1R", "\x00\x1b[31m"]
)
def test_hostile_cells_stay_text(browser: Any, text: str) -> None:
    """Formulas, markup and marks that turn text around are cells with a fault, and nothing else."""
    cell = '"' + text.replace('"', '""') + '"'
    answer = sent(
        browser, "review", sheet_text=f"sample,fastq_1,fastq_2\n{cell},{cell},{cell}\n", **CHOICES
    )
    assert answer.status_code == 422
    faults = faults_of(answer)
    assert "Sample, row 1" in faults or "not CSV" in answer.text or "things to mend" in answer.text
    for field in ("workset_name", "notification_email", "tags", "priority", "pipeline_type"):
        safe(sent(browser, "check", sheet_text=SOUND, **{**CHOICES, field: text}))
    told = asked(browser, "check", json={"table": {"columns": ["sample_id"], "rows": [[text]]}})
    assert "<script>alert" not in told["estimate"]


def test_another_tenant(service: Service, browser: Any) -> None:
    """What one customer submits or keeps is neither seen nor used by another."""
    location = submit(browser, reviewed(browser)).headers["location"]
    token = service.person("eve", "acme")
    with service.client(None) as client:
        sign_in(client, token)
        assert client.get(location).status_code == 404
        answer = sent(client, "review", sheet_text=SOUND, **CHOICES)
        assert faults_of(answer).keys() == {"Reads 1, row 1", "Reads 2, row 1"}


def test_an_address_that_picks_too_many(browser: Any) -> None:
    """It is said how many are taken; what is no file counts as little as it says."""
    answer = browser.get("/portal/submit?" + "&pick=a.fq" * 5001)
    assert answer.status_code == 422
    assert "at most 5000" in answer.text
    assert browser.get("/portal/submit?" + "&" * 5001).status_code == 200


def test_only_columns_that_say_something(browser: Any) -> None:
    """Of a sheet's columns, those that are empty in all rows are not shown; the first come first."""
    sheet = "vendor,barcode,sample,lane,fastq_1,fastq_2,coverage\n,,NA1,,b_R1.fastq,,30\n"
    answer = sent(browser, "check", sheet_text=sheet, **CHOICES)
    cells = [str(each["aria-label"]) for each in safe(answer).all("input") if "aria-label" in each]
    names = ("Sample", "Lane", "Reads 1", "Reads 2", "Coverage (x)")
    assert cells == [f"{name}, row 1" for name in names]
    titles = next(each for each in Page(answer.text).all("div") if each.get("id") == "samples-table")
    assert [name for name, _ in json.loads(str(titles["data-titles"]))] == [*TITLES]

    answer = sent(browser, "review", sheet_text=sheet, **CHOICES)
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)', answer.text) == [
        "Sample",
        "Reads 1",
        "Coverage (x)",
    ]


def test_what_pages_promise(browser: Any) -> None:
    """Files are said to stay, no mail is promised, and the way on leads to a live page."""
    words = " ".join(safe(browser.get("/portal/submit")).text.split())
    assert "Files you choose are uploaded at once and stay in My files" in words
    assert "No mail is sent to it from here" in words
    answer = submit(browser, reviewed(browser))
    words = " ".join(safe(browser.get(answer.headers["location"])).text.split())
    assert "a monitor starts it by itself" in words
    assert "Its own page says how it stands" in words


def test_a_read_without_its_mate(browser: Any) -> None:
    """It may be meant so, and is said beside its cell and at the review."""
    sheet = "sample,fastq_1,fastq_2\nLAMBDA-C,b_R1.fastq,\n"
    answer = sent(browser, "check", sheet_text=sheet, **CHOICES)
    assert faults_of(answer) == {}
    assert '<p class="hint" id="fault-0-r2_file">missing mate' in answer.text
    answer = sent(browser, "review", sheet_text=sheet, **CHOICES)
    assert answer.status_code == 200
    assert "LAMBDA-C: read 1 only" in safe(answer).text
    assert "read 1 only" not in sent(browser, "review", sheet_text=SOUND, **CHOICES).text


def test_a_workbook(browser: Any) -> None:
    """What a spreadsheet keeps for itself is refused with the way on, and leaves no row behind."""
    answer = sent(browser, "check", sheet=b"PK\x03\x04\x00\xff", **CHOICES)
    assert "s.csv: is a workbook. Save it as CSV or TSV" in safe(answer).text
    assert json.loads(fields_of(answer)["table"])["rows"] == [[""] * 4] * 3


def test_a_misspelt_column_is_spoken_of_once(browser: Any) -> None:
    """It is either asked what was meant, or said to be left out."""
    sheet = "sample,laaane,colour,fastq_1,fastq_2\nNA1,1,red,a_R1.fastq,a_R2.fastq\n"
    text = safe(sent(browser, "check", sheet_text=sheet, **CHOICES)).text
    assert "did you mean 'lane'" in text
    assert "are left out: colour" in text
