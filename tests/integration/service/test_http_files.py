"""Files over HTTP: uploads that are whole or not there, keys that lead nowhere else, downloads."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.service.service import MINE, READS, Service, places, problem

HOSTILE = (
    "..%2fx", "%2e%2e/x", "%2E%2E%2Fx", "a/%2e%2e/%2e%2e/x", "..%5cx", "a%5cb", "a%00b", "a//b", "/b",
    "%2fetc%2fpasswd", "a/", "a%2f",   "%2e/a", "a%0ab", "%ff%fe", "a" * 2048, "%c2%85",
)  # fmt: skip
ODD = (
    "späte Proben.fastq",
    "a?b#c%d&e.fastq",
    "'\"<>.fastq",
    "a+b.fastq",
    "日本.fq",
    "🧬.fq",
    "שלום.fq",
)


def keys(client: Any, customer: str = "local") -> list[str]:
    page = client.get(f"/api/customers/{customer}/files?recursive=1").json()
    return [file["key"] for file in page["files"]]


def test_put_list_delete(client: Any) -> None:
    """What is put is listed, replaced by a second put, and gone once removed."""
    first = client.put(f"{MINE}/files/run 1/a_R1.fastq", content=READS)
    again = client.put(f"{MINE}/files/run%201/a_R1.fastq", content=READS + READS)

    assert (first.status_code, first.json()["key"], first.json()["size"]) == (
        201, "run 1/a_R1.fastq", len(READS),
    )  # fmt: skip
    assert again.json()["etag"] != first.json()["etag"]
    assert keys(client) == ["run 1/a_R1.fastq"]
    assert client.get(f"{MINE}/files?prefix=run%202").json()["files"] == []
    assert client.delete(f"{MINE}/files/run%201/a_R1.fastq").json() == {
        "success": True, "deleted": "run 1/a_R1.fastq",
    }  # fmt: skip
    problem(client.delete(f"{MINE}/files/run%201/a_R1.fastq"), 404, "not-found")


@pytest.mark.parametrize("key", ODD)
def test_keys_come_through_as_written(client: Any, key: str) -> None:
    """Every sound key is stored as itself, whatever a URL makes of its letters."""
    assert client.put(f"{MINE}/files/{quote(key)}", content=READS).json()["key"] == key
    assert keys(client) == [key]


def test_hostile_keys_touch_nothing(client: Any, service: Service) -> None:
    """A key that leads elsewhere, or is not quite a key, is refused; nothing is stored."""
    for key in HOSTILE:
        for method in ("PUT", "DELETE"):
            if method == "DELETE" and key in {"a/", "a%2f"}:
                continue  # which is how an empty folder is removed
            answer = client.request(method, f"{MINE}/files/{key}", content=READS)
            assert places(problem(answer, 422, "invalid-input")) == ["key"], key
    assert service.app.world.objects.list("").items == ()


def test_prefix_stays_within_the_customers_files(client: Any) -> None:
    """No prefix shows another customer's files."""
    client.put("/api/customers/acme/files/secret.fastq", content=READS)

    for prefix in ("../acme/", "/../acme/", "..", "a/../../acme", "\\", "a\x00"):
        problem(client.get(f"{MINE}/files", params={"prefix": prefix}), 422, "invalid-input")
    assert keys(client) == []


def test_unknown_customer(client: Any) -> None:
    """Nothing can be put where there is no customer, and nothing is listed."""
    for cid in ("nobody", "-", "%2e%2e", "a%2fb"):
        problem(client.put(f"/api/customers/{cid}/files/a.fastq", content=READS), 404, "not-found")
    problem(client.get("/api/customers/nobody/files"), 404, "not-found")


def test_empty_and_large_files(client: Any, service: Service) -> None:
    """A file of no bytes is a file; one beyond the limit of JSON bodies is taken as it is."""
    large = bytes(range(256)) * 4096 * 12

    assert client.put(f"{MINE}/files/empty", content=b"").json()["size"] == 0
    assert client.put(f"{MINE}/files/large", content=large).json()["size"] == len(large)
    assert service.app.world.objects.open("files/local/large").read() == large


def test_another_length_than_announced_leaves_nothing(client: Any) -> None:
    """A body shorter or longer than its Content-Length is refused, and nothing is stored."""
    for length in ("5", str(len(READS) + 1)):
        answer = client.put(f"{MINE}/files/a", content=READS, headers={"content-length": length})
        problem(answer, 400, "cut-short")
    assert keys(client) == []


@pytest.fixture
def done(service: Service, client: Any) -> str:
    """A workset whose first attempt has left three files."""
    workset_id = service.launched(client)
    service.result(workset_id, "report.html", b"<script>alert(1)</script>")
    service.result(workset_id, "deep/table.tsv", b"a\tb\n")
    service.result(workset_id, "reads.bam", b"BAM")
    service.ended(workset_id)
    return workset_id


def test_results_are_listed(client: Any, done: str) -> None:
    """Results are listed under their own names, without the folder of the attempt."""
    files = client.get(f"{MINE}/worksets/{done}/results").json()["files"]

    assert [(file["key"], file["size"]) for file in files] == [
        ("deep/table.tsv", 4), ("reads.bam", 3), ("report.html", 25),
    ]  # fmt: skip
    assert client.get(f"{MINE}/worksets/{done}/results?attempt=1").json()["files"] == files
    problem(client.get(f"{MINE}/worksets/{done}/results?attempt=2"), 404, "not-found")


def test_reports_cannot_do_anything(client: Any, done: str) -> None:
    """An HTML report is shown as such, in a sandbox that runs no script and reaches no host."""
    answer = client.get(f"{MINE}/worksets/{done}/results/report.html")

    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert {"sandbox", "default-src 'none'"} <= set(policy.split("; "))
    assert "script" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == "25"


def test_downloads(client: Any, done: str) -> None:
    """Tables are text; what no browser should guess at is saved; ``download=1`` saves anything."""
    path = f"{MINE}/worksets/{done}/results"
    table = client.get(f"{path}/deep/table.tsv")
    saved = client.get(f"{path}/deep/table.tsv?download=1")
    other = client.get(f"{path}/reads.bam")

    assert table.headers["content-type"] == "text/plain; charset=utf-8"
    assert table.headers["content-disposition"].startswith("inline")
    assert saved.headers["content-disposition"] == (
        "attachment; filename=\"table.tsv\"; filename*=UTF-8''table.tsv"
    )
    assert other.headers["content-type"] == "application/octet-stream"
    assert other.headers["content-disposition"].startswith("attachment")
    problem(client.get(f"{path}/reads.bam?download=yes"), 422, "invalid-input")


def test_file_names_cannot_break_a_header(service: Service, client: Any, done: str) -> None:
    """Whatever a result is called, its name stays within the header, and comes back whole."""
    name = "ä\";'x.txt"
    service.result(done, name, b"x")

    header = client.get(f"{MINE}/worksets/{done}/results/{name}").headers["content-disposition"]

    assert header == "inline; filename=\"__;'x.txt\"; filename*=UTF-8''%C3%A4%22%3B%27x.txt"


def test_hostile_result_keys(client: Any, service: Service, done: str) -> None:
    """No key reads anything but results of the attempt."""
    service.result(done, "b", b"not this")

    for key in HOSTILE:
        answer = client.get(f"{MINE}/worksets/{done}/results/{key}")
        assert places(problem(answer, 422, "invalid-input")) == ["key"], key


def test_streamed_files_are_closed(service: Service, client: Any, done: str) -> None:
    """A file that was opened for a download is closed when the download is over."""
    opened: list[Any] = []
    objects = service.app.world.objects

    class Watched(type(objects)):  # type: ignore[misc]
        def info(self, key: str) -> Any:
            return objects.info(key)

        def open(self, key: str, **which: Any) -> Any:
            opened.append(objects.open(key, **which))
            return opened[-1]

    watched = service.replacing(objects=Watched())
    with watched.client() as other:
        assert other.get(f"{MINE}/worksets/{done}/results/reads.bam").content == b"BAM"
    assert [file.closed for file in opened] == [True]
