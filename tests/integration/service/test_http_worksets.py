"""Worksets over HTTP: each route's good end, and each of its refusals."""

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.service.service import MINE, READS, Service, places, problem

from daylily.entrypoints.http.submission import read_submission
from daylily.testing.samples import a_workset


def body(**changes: Any) -> dict[str, Any]:
    """Return a sound submission, but for *changes*."""
    sample = {"sample_id": "NA12878", "r1_file": "a_R1.fastq", "r2_file": "a_R2.fastq"}
    return {
        "workset_name": "Trio",
        "pipeline_type": "fastq-qc",
        "samples": [sample],
        **changes,
    }


@pytest.fixture
def uploaded(client: Any) -> Any:
    """A client whose customer has put four files."""
    for name in ("a_R1", "a_R2", "b_R1", "b_R2"):
        assert client.put(f"{MINE}/files/{name}.fastq", content=READS).status_code == 201
    return client


def test_create(uploaded: Any) -> None:
    """A sound submission is 201, with the workset and where to find it."""
    answer = uploaded.post(f"{MINE}/worksets", json=body(priority="high", max_retries=0))

    assert answer.status_code == 201
    view = answer.json()
    assert view["workset_id"].startswith("trio-")
    assert (view["state"], view["priority"], view["max_retries"]) == ("ready", "urgent", 0)
    assert (view["customer_id"], view["submitted_by"]) == ("local", "admin")
    assert uploaded.get(answer.headers["location"]).json() == view


def test_create_under_v1(uploaded: Any) -> None:
    """Every route is there with the prefix too, and the location keeps it."""
    answer = uploaded.post(f"/v1{MINE}/worksets", json=body())

    assert answer.status_code == 201
    assert answer.headers["location"].startswith(f"/v1{MINE}/worksets/trio-")


def test_lanes_are_merged(uploaded: Any) -> None:
    """Entries of one sample with different lanes are one sample of several pairs, in their order."""
    lanes = [
        {"sample_id": "S", "lane": 1, "fq1": "a_R1.fastq", "fq2": "a_R2.fastq", "coverage": 30},
        {"sample_id": "S", "lane": "2", "fastq_1": "b_R1.fastq", "fastq_r2": "b_R2.fastq"},
    ]
    view = uploaded.post(f"{MINE}/worksets", json=body(samples=lanes)).json()

    assert view["sample_count"] == 1
    assert [name.rpartition("/")[2] for name in view["samples"][0]["files"]] == [
        "a_R1.fastq", "a_R2.fastq", "b_R1.fastq", "b_R2.fastq",
    ]  # fmt: skip


def test_every_fault_at_once_in_the_callers_words(uploaded: Any) -> None:
    """Faults of words, files and lanes come together, at the keys that the caller wrote."""
    samples = [
        {"sample_id": "A", "lane": "1", "r1": "a_R1.fastq"},
        {"sample_id": "A", "lane": "1", "r1_file": "a_R2.fastq"},
        {"sample_id": "bad id", "fq1": "../x.fastq", "fastq_2": "b.bam"},
    ]
    answer = uploaded.post(
        f"{MINE}/worksets",
        json=body(samples=samples, pipeline_type="nope", priority="soon", reference_genome="hg1"),
    )

    found = places(problem(answer, 422, "invalid-input"))
    assert set(found) == {
        "pipeline_type", "priority", "reference_genome", "samples[0].lane", "samples[1].lane",
        "samples[2].sample_id", "samples[2].fq1", "samples[2].fastq_2",
    }  # fmt: skip


def test_faults_of_files(uploaded: Any) -> None:
    """A file that is not there and one that is no FASTQ are both told, each at its key."""
    uploaded.put(f"{MINE}/files/junk.fastq", content=b">fasta\nACGT\n")
    samples = [
        {"sample_id": "A", "r1": "missing.fastq"},
        {"sample_id": "B", "lane": 3, "r1_file": "a_R1.fastq", "fq2": "junk.fastq"},
    ]
    answer = uploaded.post(f"{MINE}/worksets", json=body(samples=samples))

    assert places(problem(answer, 422, "invalid-input")) == ["samples[0].r1", "samples[1].fq2"]
    assert uploaded.get(f"{MINE}/worksets").json()["worksets"] == []


def test_messages_name_the_callers_places_too(uploaded: Any) -> None:
    """Where a message points at another place, it is one that the caller wrote."""
    samples = [
        {"sample_id": "A", "fq1": "a_R1.fastq"},
        {"sample_id": "B", "r1": "a_R1.fastq"},
    ]
    found = problem(uploaded.post(f"{MINE}/worksets", json=body(samples=samples)), 422, "invalid-input")

    assert found["faults"] == [
        {"place": "samples[1].r1", "message": "'a_R1.fastq' is already used at samples[0].fq1"}
    ]


def test_faults_of_shape(uploaded: Any) -> None:
    """What is missing, misspelt, given twice or of another type is told at once, with all the rest."""
    samples: list[Any] = [
        7,
        {"r1": 5, "vendr": "x"},
        {"sample_id": "B", "r1": "x.fastq", "fq1": "y.fastq"},
        {"sample_id": "C", "r1": "c.fastq", "vendor": "ACME", "n_x": 1.5, "positive_control": "yes"},
    ]
    bad = body(samples=samples, workset_name=3, max_retries="many", enable_qc="y", s3_bucket="b")
    found = problem(uploaded.post(f"{MINE}/worksets", json=bad), 422, "invalid-input")

    assert set(places(found)) == {
        "workset_name", "max_retries", "enable_qc", "s3_bucket", "samples[0]",
        "samples[1].sample_id", "samples[1].r1", "samples[1].vendr", "samples[2].r1",
        "samples[3].vendor", "samples[3].n_x", "samples[3].positive_control", "samples[3].r1",
    }  # fmt: skip


def test_no_fault_hides_another(uploaded: Any) -> None:
    """
    Faults of shape, of words and of files come in one answer, each place once.

    Whoever mends all that is listed need not come back; nothing is stored.
    """
    samples: list[Any] = [
        {"r1_file": "a_R1.fastq"},
        {"r1_file": "b_R1.fastq"},
        {"sample_id": "../x", "r1_file": "missing.fastq", "r2_file": "../../etc/passwd"},
        {"sample_id": "only a mate", "r2_file": "a_R2.fastq"},
        {"sample_id": "A", "r1_file": "s3://other/a.fastq", "mate": "x"},
    ]
    bad = body(samples=samples, pipeline_type="nope", priority="soon", max_retries="many")
    found = problem(uploaded.post(f"{MINE}/worksets", json=bad), 422, "invalid-input")
    here = {
        "max_retries", "samples[0].sample_id", "samples[1].sample_id", "samples[3].r1_file",
        "samples[4].mate", "pipeline_type", "priority", "samples[2].sample_id",
        "samples[2].r2_file", "samples[3].sample_id",
    }  # fmt: skip
    assert sorted(places(found)) == sorted({*here, "samples[2].r1_file", "samples[4].r1_file"})
    assert uploaded.get(f"{MINE}/worksets").json()["worksets"] == []

    found = problem(uploaded.post(f"{MINE}/worksets/validate", json=bad), 422, "invalid-input")
    assert sorted(places(found)) == sorted(here)


def test_samples_that_cannot_be_read_are_not_said_to_be_none(uploaded: Any) -> None:
    """What the domain would say of what was left out is nobody's concern."""
    bad = body(samples=[7], pipeline_type="nope")
    found = problem(uploaded.post(f"{MINE}/worksets", json=bad), 422, "invalid-input")
    assert places(found) == ["samples[0]", "pipeline_type"]


@pytest.mark.parametrize(
    ("field", "meant"),
    [("priorty", "priority"), ("genome", "reference_genome"), ("max-retries", "max_retries")],
)
def test_misspelt_fields(uploaded: Any, field: str, meant: str) -> None:
    """A field that is nearly one of ours is refused with the one that was meant; so in a sample."""
    found = problem(uploaded.post(f"{MINE}/worksets", json=body(**{field: "x"})), 422, "invalid-input")
    assert found["faults"] == [
        {"place": field, "message": f"is not known here; did you mean {meant!r}?"}
    ]
    samples = [{"sample_id": "A", "r1_file": "a_R1.fastq", "R2_file": "a_R2.fastq", "mate": "x"}]
    found = problem(uploaded.post(f"{MINE}/worksets", json=body(samples=samples)), 422, "invalid-input")
    assert found["faults"] == [
        {"place": "samples[0].R2_file", "message": "is not known here; did you mean 'r2_file'?"},
        {"place": "samples[0].mate", "message": "is not known here"},
    ]


def test_fields_of_old(uploaded: Any) -> None:
    """What clients of old send along is taken, as long as it asks for nothing that is not done."""
    samples = [{"name": "A", "r1_file": "a_R1.fastq", "status": "pending"}]
    harmless = {
        "s3_prefix": "", "s3_bucket": None, "yaml_content": None, "manifest_id": "",
        "workset_type": "ruo", "preferred_cluster": "", "enable_qc": True,
    }  # fmt: skip
    answer = uploaded.post(f"{MINE}/worksets", json=body(samples=samples, **harmless))
    assert answer.status_code == 201
    assert answer.json()["samples"][0]["sample_id"] == "A"

    asked = {
        "s3_bucket": "theirs",
        "s3_prefix": "x/",
        "manifest_tsv_content": "RUN_ID",
        "manifest_id": "m",
    }
    found = problem(uploaded.post(f"{MINE}/worksets", json=body(**asked)), 422, "invalid-input")
    assert set(places(found)) == {
        "s3_bucket", "s3_prefix", "manifest_tsv_content: row 1", "manifest_id", "samples",
    }  # fmt: skip


def test_where_it_runs_and_how_long(uploaded: Any) -> None:
    """What is asked for is stored, shown, and checked at the door."""
    samples = [{"name": "A", "r1_file": "a_R1.fastq"}]
    asked = {
        "preferred_cluster": "daylily-2",
        "availability_zone": "us-west-2a",
        "time_limit_hours": 1.5,
    }
    answer = uploaded.post(f"{MINE}/worksets", json=body(samples=samples, **asked))
    assert answer.status_code == 201
    workset = uploaded.get(f"{MINE}/worksets/{answer.json()['workset_id']}").json()
    assert {name: workset[name] for name in asked} == asked

    for wrong in (0, -1, 1e300, 24 * 31):
        refused = uploaded.post(f"{MINE}/worksets", json=body(samples=samples, time_limit_hours=wrong))
        assert places(problem(refused, 422, "invalid-input")) == ["time_limit_hours"]
    odd = body(samples=samples, preferred_cluster="../x", availability_zone="a b")
    found = problem(uploaded.post(f"{MINE}/worksets", json=odd), 422, "invalid-input")
    assert places(found) == ["preferred_cluster", "availability_zone"]


def test_validate(uploaded: Any) -> None:
    """What would be taken is told under its standard names; nothing is stored, no file is needed."""
    samples = [{"sample_id": "A", "r1": "later_R1.fastq", "r2": "later_R2.fastq"}]
    answer = uploaded.post(
        f"{MINE}/worksets/validate",
        json=body(samples=samples, reference_genome="hg38", pipeline_type="qc", priority="high"),
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "workset_name": "Trio", "pipeline_type": "fastq-qc", "reference_genome": "GRCh38",
        "priority": "urgent", "sample_count": 1, "file_count": 2,
    }  # fmt: skip
    assert uploaded.get(f"{MINE}/worksets").json()["worksets"] == []


def test_validate_takes_forms(uploaded: Any) -> None:
    """A sheet is read, FASTQ files are passed over, and all faults are told as by submitting."""
    fields = {"workset_name": "Trio", "pipeline_type": "fastq-qc"}
    sheet = ("sheet", ("samples.csv", b"sample,fastq_1,fastq_2\nA,x_R1.fastq.gz,x_R2.fastq.gz\n"))
    files = [("files", (f"x_R{read}.fastq.gz", b"not looked at")) for read in (1, 2)]
    for parts in ([sheet], [sheet, *files], files):
        answer = uploaded.post(f"{MINE}/worksets/validate", data=fields, files=parts)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["sample_count"], answer.json()["file_count"]) == (1, 2)
    assert uploaded.get(f"{MINE}/worksets").json()["worksets"] == []
    assert uploaded.get(f"{MINE}/files", params={"prefix": "x_"}).json()["files"] == []

    wrong = {"workset_name": "Trio", "pipeline_type": "none", "max_retries": "x"}
    bad = ("sheet", ("samples.csv", b"sample,fastq_1,fastq_2\nbad id,x_R1.fastq.gz,\n"))
    told, submitted = (
        problem(uploaded.post(f"{MINE}/worksets{path}", data=wrong, files=[bad]), 422, "invalid-input")[
            "faults"
        ]
        for path in ("/validate", "")
    )
    assert told
    assert {fault["place"] for fault in told} <= {fault["place"] for fault in submitted}
    lone = problem(
        uploaded.post(f"{MINE}/worksets/validate", data={**fields, "priority": "x"}, files=[sheet]),
        422,
        "invalid-input",
    )
    assert [fault["place"] for fault in lone["faults"]] == ["priority"]


def test_validate_refuses_what_submitting_would(uploaded: Any) -> None:
    """Every fault of a submission, but for those of its files, at the caller's own places."""
    bad = body(
        samples=[{"sample_id": "bad id", "fq1": "../x.fastq"}], pipeline_type="wgs", max_retries=11
    )
    told, submitted = (
        problem(uploaded.post(f"{MINE}/worksets{path}", json=bad), 422, "invalid-input")["faults"]
        for path in ("/validate", "")
    )
    assert told == submitted
    assert {fault["place"] for fault in told} == {
        "pipeline_type", "max_retries", "samples[0].sample_id", "samples[0].fq1",
    }  # fmt: skip
    for customer in ("nobody", "-"):
        answer = uploaded.post(f"/api/customers/{customer}/worksets/validate", json=body())
        problem(answer, 404, "not-found")


def test_lanes_that_contradict_each_other(uploaded: Any) -> None:
    """Two lanes of a sample that say different things of it are refused, with both places."""
    samples = [
        {"sample_id": "A", "lane": 1, "r1": "a_R1.fastq", "coverage": 30},
        {"sample_id": "A", "lane": 2, "r1": "b_R1.fastq", "coverage": 40},
    ]
    found = problem(uploaded.post(f"{MINE}/worksets", json=body(samples=samples)), 422, "invalid-input")

    assert places(found) == ["samples[1].coverage"]
    assert "samples[0].coverage" in found["detail"]


@pytest.mark.parametrize("missing", ["workset_name", "pipeline_type", "samples"])
def test_required_fields(uploaded: Any, missing: str) -> None:
    """What a submission cannot do without is asked for by name."""
    less = {name: value for name, value in body().items() if name != missing}

    found = problem(uploaded.post(f"{MINE}/worksets", json=less), 422, "invalid-input")

    assert places(found) == [missing]


def test_create_for_an_unknown_customer(client: Any) -> None:
    """There is nothing to submit to."""
    problem(client.post("/api/customers/nobody/worksets", json=body()), 404, "not-found")
    problem(client.post("/api/customers/-/worksets", json=body()), 404, "not-found")


def test_list_newest_first_in_pages(service: Service, client: Any) -> None:
    """Pages follow one another without a gap or a repeat."""
    for number in range(5):
        service.clock.advance(timedelta(seconds=1))
        service.submitted(client, f"Set {number}")

    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"{MINE}/worksets", params=params).json()
        seen += [view["workset_name"] for view in page["worksets"]]
        cursor = page["cursor"]
        if cursor is None:
            break

    assert seen == ["Set 4", "Set 3", "Set 2", "Set 1", "Set 0"]


def test_list_filters(service: Service, client: Any) -> None:
    """States (several), priority and part of the name narrow the list together."""
    first, second = service.submitted(client, "Alpha"), service.submitted(client, "Beta")
    client.post(f"{MINE}/worksets/{first}/cancel")

    def names(query: str) -> set[str]:
        page = client.get(f"{MINE}/worksets?{query}").json()
        return {view["workset_id"] for view in page["worksets"]}

    assert names("state=canceled") == {first}
    assert names("state=canceled&state=ready") == {first, second}
    assert names("name=ET&priority=normal") == {second}
    assert names("priority=urgent") == set()


def test_list_faults(client: Any) -> None:
    """Every bad value of a query is told, and so is a parameter that does not exist."""
    query = "state=done&state=ready&priority=x&limit=0&cursor=a&cursor=b&stat=ready"
    found = problem(client.get(f"{MINE}/worksets?{query}"), 422, "invalid-input")

    assert set(places(found)) == {"state", "priority", "limit", "cursor", "stat"}
    for limit in ("1001", "-1", "ten", "1e3", "٣", ""):
        problem(client.get(f"{MINE}/worksets", params={"limit": limit}), 422, "invalid-input")
    problem(client.get(f"{MINE}/worksets?cursor=zzz"), 400, "bad-cursor")


def test_lists_across_customers(service: Service, client: Any) -> None:
    """An operator sees all customers under ``-`` and under the old address, and each under its own."""
    mine, theirs = service.submitted(client), service.submitted(client, customer="acme")

    def ids(views: list[dict[str, Any]]) -> set[str]:
        return {view["workset_id"] for view in views}

    assert ids(client.get("/api/customers/-/worksets").json()["worksets"]) == {mine, theirs}
    assert ids(client.get("/worksets").json()) == {mine, theirs}
    assert ids(client.get(f"{MINE}/worksets").json()["worksets"]) == {mine}
    assert client.get(f"/worksets/{theirs}").json()["customer_id"] == "acme"
    assert client.get("/worksets?limit=1").headers["x-next-cursor"]


def test_another_customers_workset_is_not_under_my_path(service: Service, client: Any) -> None:
    """A workset is found under its own customer only, whoever asks, and for no verb otherwise."""
    theirs = service.submitted(client, customer="acme")

    for path in ("", "/logs", "/results", "/results/report.html"):
        problem(client.get(f"{MINE}/worksets/{theirs}{path}"), 404, "not-found")
    for verb in ("cancel", "retry"):
        problem(client.post(f"{MINE}/worksets/{theirs}/{verb}"), 404, "not-found")
    assert client.get(f"/api/customers/acme/worksets/{theirs}").json()["state"] == "ready"


def test_cancel(service: Service, client: Any) -> None:
    """A waiting workset is canceled at once, with who asked and why; a second time is a conflict."""
    workset_id = service.submitted(client)

    answer = client.post(f"{MINE}/worksets/{workset_id}/cancel", json={"reason": "wrong reads"})

    assert (answer.status_code, answer.json()["state"]) == (202, "canceled")
    last = answer.json()["state_history"][-1]
    assert "wrong reads" in last["reason"]
    problem(client.post(f"{MINE}/worksets/{workset_id}/cancel"), 409, "conflict")


def test_cancel_while_it_runs(service: Service, client: Any) -> None:
    """A running workset is canceled once the engine has stopped it."""
    workset_id = service.launched(client)

    answer = client.post(f"{MINE}/worksets/{workset_id}/cancel")
    service.app.cycle()

    assert (answer.json()["state"], answer.json()["cancel_requested_by"]) == ("in_progress", "admin")
    assert client.get(f"{MINE}/worksets/{workset_id}").json()["state"] == "canceled"


def test_retry(service: Service, client: Any) -> None:
    """What ended in error goes back into the queue; what did not, does not."""
    workset_id = service.launched(client)
    problem(client.post(f"{MINE}/worksets/{workset_id}/retry"), 409, "conflict")
    service.ended(workset_id, exit_code=1, message="no reads")

    failed = client.get(f"{MINE}/worksets/{workset_id}").json()
    answer = client.post(f"{MINE}/worksets/{workset_id}/retry", json={})

    assert (failed["state"], failed["error_details"]) == ("error", "no reads")
    assert (answer.status_code, answer.json()["state"]) == (202, "ready")


def test_retry_of_failed_samples(service: Service, client: Any) -> None:
    """Each sample says what became of it; a retry may be for those alone that did not come out well."""
    workset_id = service.launched(client)
    service.ended_in_part(workset_id)
    path = f"{MINE}/worksets/{workset_id}"
    told = [
        (each["sample_id"], each["outcome"], each["message"], each["attempt"])
        for each in client.get(path).json()["samples"]
    ]
    assert told == [("NA1", "ok", "", 1), ("NA2", "failed", "read 7 is <b>cut</b>", 1)]

    wrong = client.post(f"{path}/retry", json={"failed_samples": "yes"})
    assert places(problem(wrong, 422, "invalid-input")) == ["failed_samples"]
    only = {"failed_samples": True}
    problem(client.post(f"{path}/cancel", json=only), 422, "invalid-input")
    assert client.post(f"{path}/retry", json=only).status_code == 202
    service.app.cycle()
    assert client.get(path).json()["attempts"][-1]["only"] == ["NA2"]


def test_reason_faults(service: Service, client: Any) -> None:
    """A reason is one line of text; anything else in the body is refused."""
    path = f"{MINE}/worksets/{service.submitted(client)}/cancel"

    assert places(
        problem(client.post(path, json={"reason": "a\nb", "why": 1}), 422, "invalid-input")
    ) == ["reason", "why"]
    problem(client.post(path, json=["reason"]), 400, "bad-document")
    problem(client.post(path, content="reason=x"), 415, "media-type")


def test_unknown_workset(client: Any) -> None:
    """Ids that nothing has, and ids that nothing could have, are not found."""
    for workset_id in ("ws-unknown", "x", "a" * 2000, "%2e%2e", "a%00b", "caf%C3%A9"):
        problem(client.get(f"{MINE}/worksets/{workset_id}"), 404, "not-found")
        problem(client.get(f"/worksets/{workset_id}"), 404, "not-found")


def test_log(service: Service, client: Any) -> None:
    """A log is read on from where the last part ended, until it says that it has."""
    workset_id = service.launched(client)
    path = f"{MINE}/worksets/{workset_id}/logs"
    service.compute.write(f"{workset_id}/1", "first\n")
    first = client.get(path).json()
    service.compute.write(f"{workset_id}/1", "second\n")
    service.ended(workset_id)
    second = client.get(path, params={"offset": first["offset"], "attempt": 1}).json()

    assert (first["text"], first["ended"]) == ("first\n", False)
    assert (second["text"], second["ended"]) == ("second\n", True)


def test_log_faults(service: Service, client: Any) -> None:
    """There is no log before the launch or of an attempt that was not; bad numbers are told."""
    workset_id = service.submitted(client)
    path = f"{MINE}/worksets/{workset_id}/logs"

    problem(client.get(path), 404, "not-found")
    found = problem(client.get(f"{path}?offset=-1&attempt=0&x=1"), 422, "invalid-input")
    assert places(found) == ["attempt", "offset", "x"]
    service.app.cycle()
    problem(client.get(f"{path}?attempt=2"), 404, "not-found")


def test_old_rows_are_shown(service: Service, client: Any) -> None:
    """Worksets that were stored by others are listed like our own."""
    service.app.world.store.add(a_workset("ws-old", customer_id="local"))

    assert client.get(f"{MINE}/worksets/ws-old").json()["pipeline_type"] == "germline"


def test_many_faults_are_told_soon(client: Any) -> None:
    """However much is wrong, all of it is listed, in a time that grows with it and no faster."""
    samples: list[Any] = [{f"sampel{number}": 1} for number in range(10_000)]
    found = problem(client.post(f"{MINE}/worksets", json=body(samples=samples)), 422, "invalid-input")

    assert len(found["faults"]) == 30_000
    assert found["detail"].endswith("and 29980 more")


def test_more_lanes_than_samples() -> None:
    """The bound on samples counts samples: three of them may have any number of lanes."""
    samples = [{"sample_id": f"S{n % 3}", "lane": n, "r1": f"{n}.fastq"} for n in range(9_999)] * 2

    reading = read_submission(body(samples=samples), max_retries=3)

    assert len(reading.submission.samples) == 3
