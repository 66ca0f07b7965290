"""Submissions in all shapes: forms with files and sheets, YAML, TSV; all faults at once."""

import gzip
import json
from typing import Any

import pytest
from tests.integration.service.service import MINE, READS, Service, places, problem

from daylily.domain.lifecycle import State
from daylily.ports.state_store import Filter

WORKSETS = f"{MINE}/worksets"
SHEET = b"sample,fastq_1,fastq_2\nA,a_R1.fastq.gz,a_R2.fastq.gz\nA,b_R1.fastq,\nB,run/c.fq,\n"
WORDS = {"workset_name": "Run 7", "pipeline_type": "fastq-qc"}
STAGE = (
    "RUN_ID\tSAMPLE_ID\tEXPERIMENTID\tSAMPLE_TYPE\tLIB_PREP\tSEQ_VENDOR\tSEQ_PLATFORM\tLANE\tSEQBC_ID"
    "\tR1_FQ\tR2_FQ\r\nR0\tHG002\tx4\tblood\tnoampwgs\tILMN\tNOVASEQX\t0\tS1\trun/c.fq\t\r\n"
)


def fastq(*names: str) -> list[tuple[str, tuple[str, bytes]]]:
    """Return parts of a form with FASTQ files of those names."""
    return [("files", (n, gzip.compress(READS) if n.endswith(".gz") else READS)) for n in names]


def stored(service: Service) -> list[str]:
    """Return the keys of all that is in the object store."""
    return [info.key for info in service.app.world.objects.list("").items]


@pytest.fixture
def ready(client: Any) -> Any:
    """A client who has put a file before."""
    client.put(f"{MINE}/files/run/c.fq", content=READS)
    return client


def test_a_form_with_a_sheet_and_files(ready: Any, service: Service) -> None:
    """Files that come along, and one that is there: what comes out is a directory that can be run."""
    files = fastq("a_R1.fastq.gz", "a_R2.fastq.gz", "b_R1.fastq")
    answer = ready.post(WORKSETS, data=WORDS, files=[("sheet", ("sheet.csv", SHEET)), *files])

    assert answer.status_code == 201, answer.text
    workset_id = answer.json()["workset_id"]
    assert answer.headers["location"] == f"{WORKSETS}/{workset_id}"
    workset = service.app.world.store.get(workset_id)
    lanes = [(s.sample_id, p.lane, p.r1, p.r2) for s in workset.manifest.samples for p in s.pairs]
    assert lanes == [
        ("A", "L1", "sample_data/a_R1.fastq.gz", "sample_data/a_R2.fastq.gz"),
        ("A", "L2", "sample_data/b_R1.fastq", None),
        ("B", "0", "sample_data/c.fq", None),
    ]
    assert len(list(workset.manifest.seals())) == 4
    directory = [key for key in stored(service) if key.startswith(f"worksets/{workset_id}/")]
    names = {key.partition("/")[2].partition("/")[2] for key in directory}
    assert names >= {"stage_samples.tsv", "daylily_work.yaml", "daylily_info.yaml", "daylily.ready"}
    # What came along is in the workset, and nowhere else.
    assert [key for key in stored(service) if key.startswith("files/")] == ["files/local/run/c.fq"]
    service.app.cycle()
    assert service.app.world.store.get(workset_id).state is State.IN_PROGRESS


def test_files_alone_are_paired_by_their_names(client: Any, service: Service) -> None:
    """As a folder is, on the command line."""
    files = fastq("s1_R1.fastq.gz", "s1_R2.fastq.gz", "s2_R1.fastq.gz", "s2_R2.fastq.gz")
    answer = client.post(WORKSETS, data={**WORDS, "max_retries": "1"}, files=files)
    assert answer.status_code == 201, answer.text
    workset = service.app.world.store.get(answer.json()["workset_id"])
    assert [sample.sample_id for sample in workset.manifest.samples] == ["s1", "s2"]
    assert workset.max_retries == 1
    odd = client.post(WORKSETS, data=WORDS, files=fastq("s1_R2.fastq.gz"))
    assert "s1_R2.fastq.gz" in problem(odd, 422, "invalid-input")["detail"]


def test_a_form_with_json(client: Any, service: Service) -> None:
    """Fields as one JSON object, or as JSON in fields of their own."""
    samples = json.dumps([{"sample_id": "A", "fastq_1": "a_R1.fastq"}])
    for data in ({"workset": json.dumps({**WORDS, "samples": json.loads(samples)})},
                 {**WORDS, "samples": samples}):  # fmt: skip
        answer = client.post(WORKSETS, data=data, files=fastq("a_R1.fastq"))
        assert answer.status_code == 201, answer.text
    for data in ({"workset": "["}, {"workset": "[]"}, {**WORDS, "samples": "{"}):
        answer = client.post(WORKSETS, data=data, files=fastq("a_R1.fastq"))
        assert {"workset", "samples"} & set(places(problem(answer, 422, "invalid-input")))


def test_all_faults_of_a_form_at_once(ready: Any, service: Service) -> None:
    """Each with its row and column, in the sender's words; and nothing of it stays."""
    before = stored(service)
    rows = ("sample,fastq_1,fastq_2", "A,a_R1.fastq.gz,missing.fastq.gz", "B,run/none.fq,",
            "C,broken.fastq.gz,")  # fmt: skip
    sheet = "\n".join(rows).encode()
    answer = ready.post(
        WORKSETS,
        data={"pipeline_type": "nope", "priority": "asap"},
        files=[
            ("sheet", ("x.csv", sheet)),
            *fastq("a_R1.fastq.gz"),
            ("files", ("broken.fastq.gz", b"no gzip")),
            ("files", ("notes.docx", b"x")),
            ("files", ("daylily.fastq", READS)),
        ],
    )
    body = problem(answer, 422, "invalid-input")
    told = {fault["place"]: fault["message"] for fault in body["faults"]}
    assert set(told) == {
        "workset_name", "pipeline_type", "priority", "files",
        "row 2, fastq_2", "row 3, fastq_1", "row 4, fastq_1",
    }  # fmt: skip
    assert told["row 4, fastq_1"] == "'broken.fastq.gz' is named .gz and is not gzip"
    assert ".daylily" not in answer.text
    assert stored(service) == before
    assert service.app.world.store.list(Filter()).items == ()


def test_sheets_that_are_none(ready: Any, service: Service) -> None:
    """Junk, the wrong columns, two sheets: told by row, and that there are no samples is no news."""
    for sheet, place in (
        (b"\xff\xfe\x00", "sheet"),
        (b"sample,fastq_1\nA,run/c.fq\n", "row 1"),
        (b'sample,fastq_1,fastq_2\n"A,run/c.fq,\n', "row 2"),
        (b"sample;fastq_1;fastq_2\nA;run/c.fq;\n", "row 1"),
        (b"sample,fastq_1,fastq_2\nA,../../acme/x.fq,\n", "row 2, fastq_1"),
    ):
        answer = ready.post(WORKSETS, data=WORDS, files=[("sheet", ("x.csv", sheet))])
        assert place in places(problem(answer, 422, "invalid-input")), answer.text
        assert "samples" not in places(answer.json())
    two = ready.post(
        WORKSETS, data=WORDS, files=[("sheet", ("x.csv", SHEET)), ("sheet", ("y.csv", SHEET))]
    )
    assert "is a second sheet" in problem(two, 422, "invalid-input")["detail"]


def test_a_form_is_submitted_once(client: Any, service: Service) -> None:
    """Under one key: sent again it is answered as before; with other bytes it is refused."""
    key = {"idempotency-key": "form-1"}
    first = client.post(WORKSETS, data=WORDS, files=fastq("a.fastq"), headers=key)
    again = client.post(WORKSETS, data=WORDS, files=fastq("a.fastq"), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = client.post(WORKSETS, data=WORDS, files=[("files", ("a.fastq", READS * 2))], headers=key)
    assert places(problem(other, 422, "invalid-input")) == ["Idempotency-Key"]
    assert len(service.app.world.store.list(Filter()).items) == 1
    assert [key for key in stored(service) if key.startswith("files/")] == []

    upload = f"{MINE}/files/upload"
    one = client.post(upload, files={"file": ("a.txt", b"1")}, headers={"idempotency-key": "u"})
    client.delete(f"{MINE}/files/a.txt")
    two = client.post(upload, files={"file": ("a.txt", b"1")}, headers={"idempotency-key": "u"})
    assert (two.status_code, two.content) == (201, one.content)
    assert client.get(f"{MINE}/files/a.txt").status_code == 404


def test_yaml_of_old_clients(ready: Any, service: Service) -> None:
    """Contract 4.3: ``yaml_content`` says samples and whatever the body does not."""
    text = "pipeline: fastq-qc\npriority: urgent\nsamples:\n- {sample_id: A, fastq_r1: run/c.fq}\n"
    answer = ready.post(WORKSETS, json={"workset_name": "Y", "yaml_content": text})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["priority"], answer.json()["pipeline_type"]) == ("urgent", "fastq-qc")
    wins = ready.post(WORKSETS, json={**WORDS, "priority": "low", "yaml_content": text})
    assert wins.json()["priority"] == "low"

    faulty = text.replace("run/c.fq", "none.fq")
    told = problem(ready.post(WORKSETS, json={**WORDS, "yaml_content": faulty}), 422, "invalid-input")
    assert places(told) == ["yaml_content: samples[0].fastq_r1"]
    unread = problem(ready.post(WORKSETS, json={"yaml_content": "["}), 422, "invalid-input")
    assert places(unread)[:1] == ["yaml_content"]
    twice = {**WORDS, "yaml_content": text, "samples": [{"sample_id": "A", "r1": "run/c.fq"}]}
    assert places(problem(ready.post(WORKSETS, json=twice), 422, "invalid-input")) == ["samples"]
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"b{n}: &b{n} [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" for n in range(9)
    )
    problem(ready.post(WORKSETS, json={**WORDS, "yaml_content": bomb}), 422, "invalid-input")


def test_tsv_of_old_clients(ready: Any, service: Service) -> None:
    """``manifest_tsv_content`` is a ``stage_samples.tsv``; its faults have row and column."""
    answer = ready.post(WORKSETS, json={**WORDS, "manifest_tsv_content": STAGE})
    assert answer.status_code == 201, answer.text
    (sample,) = service.app.world.store.get(answer.json()["workset_id"]).manifest.samples
    assert (sample.sample_id, sample.experiment_id, sample.run_id) == ("HG002", "x4", "R0")
    faulty = STAGE.replace("run/c.fq", "none.fq")
    told = ready.post(WORKSETS, json={**WORDS, "manifest_tsv_content": faulty})
    assert places(problem(told, 422, "invalid-input")) == ["manifest_tsv_content: row 2, R1_FQ"]
    form = ready.post(WORKSETS, data=WORDS, files={"sheet": ("stage_samples.tsv", STAGE.encode())})
    assert form.status_code == 201, form.text


def test_d46_nobody_names_where_it_goes(ready: Any, service: Service) -> None:
    """D-46: neither bucket nor prefix nor id is the caller's to choose, in no shape of a submission."""
    for field in ("s3_bucket", "s3_prefix"):
        sent = {**WORDS, field: "victim/"}
        answer = ready.post(WORKSETS, json={**sent, "manifest_tsv_content": STAGE})
        assert places(problem(answer, 422, "invalid-input")) == [field]
        form = ready.post(
            WORKSETS, data=sent, files=[("sheet", ("s.csv", SHEET[:23] + b"B,run/c.fq,\n"))]
        )
        assert places(problem(form, 422, "invalid-input")) == [field]
    named = ready.post(
        WORKSETS, json={**WORDS, "workset_name": "../../acme/x", "manifest_tsv_content": STAGE}
    )
    assert named.json()["workset_id"].startswith("acme-x-")


def test_forms_cut_short(client: Any, service: Service) -> None:
    """A form that ends before its end, or has no end: 400, and nothing of it stays."""
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a_R1.fastq"\r\n\r\n' + READS
    answer = client.post(
        WORKSETS, content=body, headers={"content-type": "multipart/form-data; boundary=x"}
    )
    problem(answer, 400, "bad-document")
    assert stored(service) == []


def test_large_json(client: Any) -> None:
    """JSON may have 12 MiB, whether or not a key has it read before."""
    headers = {"content-type": "application/json"}
    for more in ({}, {"idempotency-key": "k"}):
        answer = client.post(WORKSETS, content=b" " * (12 << 20) + b"{}", headers={**headers, **more})
        problem(answer, 413, "request-entity-too-large")
