"""A customer's space over HTTP: browsed, fetched in parts, looked into, and never a way to harm."""

import gzip
import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.service.service import MINE, READS, Service, places, problem

FILES = f"{MINE}/files"
RESERVED = (
    "daylily.ready", "Daylily.READY", "run/daylily.lock", "daylily_work.yaml", "daylily.ready/x",
    "daylily_info.yaml", "run/fsx_export.yaml", ".keep", "run/.hold", ".daylily/x", "daylily.anything",
)  # fmt: skip


def put(client: Any, key: str, content: bytes = READS) -> None:
    assert client.put(f"{FILES}/{quote(key)}", content=content).status_code == 201


def browse(client: Any, prefix: str = "", **more: Any) -> list[str]:
    page = client.get(FILES, params={"prefix": prefix, **more})
    assert page.status_code == 200, page.text
    return [entry["key"] for entry in page.json()["files"]]


def test_a_folder_at_a_time(client: Any) -> None:
    """Contract 4.4: files and folders of one level, with sizes and times as old portals show them."""
    put(client, "run 1/a_R1.fastq.gz")
    put(client, "run 1/deep/b.txt", b"x" * 2048)
    put(client, "readme.txt")

    page = client.get(FILES).json()
    assert (page["prefix"], page["cursor"]) == ("", None)
    file, folder = page["files"]
    assert folder == {
        "key": "run 1/", "name": "run 1", "type": "folder", "size": 0, "size_formatted": "0 B",
        "modified": None, "icon": "folder", "etag": None, "modified_at": None,
    }  # fmt: skip
    assert (file["name"], file["type"], file["size"], file["icon"]) == (
        "readme.txt", "file", len(READS), "file-alt",
    )  # fmt: skip
    assert file["modified"].endswith("Z")
    assert browse(client, "run 1/") == browse(client, "run 1") == ["run 1/a_R1.fastq.gz", "run 1/deep/"]
    deep = client.get(FILES, params={"prefix": "run 1/deep/"}).json()["files"][0]
    assert (deep["size_formatted"], deep["name"]) == ("2.0 KB", "b.txt")
    assert browse(client, "run", recursive=1) == ["run 1/a_R1.fastq.gz", "run 1/deep/b.txt"]


def test_pages(client: Any) -> None:
    """A cursor leads through all of it, each entry once; one that is not ours is refused."""
    for n in range(5):
        put(client, f"{n}.txt")
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(FILES, params=params).json()
        found += [entry["key"] for entry in page["files"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == [f"{n}.txt" for n in range(5)]
    problem(client.get(FILES, params={"cursor": "nonsense"}), 400, "bad-cursor")
    problem(client.get(FILES, params={"limit": "0"}), 422, "invalid-input")


def test_folders_are_made_and_removed(client: Any) -> None:
    """An empty folder is there until it is removed; one with files in it stays."""
    made = client.post(f"{FILES}/create-folder", json={"folder_path": "new/inner/"})
    assert (made.status_code, made.json()) == (201, {"success": True, "folder": "new/inner/"})
    again = client.post(f"{FILES}/create-folder?folder_path=new/inner")
    form = client.post(f"{FILES}/create-folder", data={"folder_path": "third"})
    assert (again.status_code, form.status_code) == (201, 201)
    assert browse(client) == ["new/", "third/"]
    assert browse(client, "new") == ["new/inner/"]
    assert browse(client, "new/inner") == browse(client, recursive=1) == []

    put(client, "new/inner/a")
    problem(client.delete(f"{FILES}/new/inner/"), 409, "conflict")
    client.delete(f"{FILES}/new/inner/a")
    assert client.delete(f"{FILES}/new/inner/").status_code == 200
    problem(client.delete(f"{FILES}/new/inner/"), 404, "not-found")
    assert browse(client) == ["third/"]


def test_d46_names_that_mean_something_to_us(client: Any, service: Service) -> None:
    """D-46, D-47: no customer writes or removes a sentinel or a file of a workset, by any way."""
    for key in RESERVED:
        for answer in (
            client.put(f"{FILES}/{key}", content=b"x"),
            client.delete(f"{FILES}/{key}"),
            client.post(f"{FILES}/create-folder", json={"folder_path": key}),
            client.post(f"{FILES}/upload", files={"file": ("x", b"x")}, data={"prefix": key}),
        ):
            body = problem(answer, 422, "invalid-input")
            assert "that daylily itself uses" in body["detail"], key
    name = client.post(f"{FILES}/upload", files={"file": ("daylily.ready", b"x")})
    problem(name, 422, "invalid-input")
    assert service.app.world.objects.list("").items == ()


def test_one_spelling_of_a_key(client: Any) -> None:
    """However a client writes its accents, it is one file (NFC)."""
    put(client, "a\u0308.txt")
    assert browse(client) == ["ä.txt"]
    assert client.get(f"{FILES}/{quote('ä.txt')}").content == READS
    assert client.get(f"{FILES}/{quote('a' + chr(0x308) + '.txt')}").content == READS
    backwards = client.put(f"{FILES}/{quote('report' + chr(0x202E) + 'gpj.exe')}", content=b"x")
    assert "turns text around" in problem(backwards, 422, "invalid-input")["detail"]


def test_upload_by_a_form(client: Any) -> None:
    """Contract 4.4: a file and its folder, whichever comes first; the client's path is not taken."""
    first = client.post(f"{FILES}/upload", files={"file": ("a.txt", b"one")}, data={"prefix": "run/"})
    assert first.status_code == 201, first.text
    assert (first.json()["success"], first.json()["key"]) == (True, "run/a.txt")
    paths = {"C:\\fakepath\\b.txt": "b.txt", "/etc/passwd": "passwd", "../../c.txt": "c.txt"}
    for name, key in paths.items():
        answer = client.post(f"{FILES}/upload?prefix=run", files={"file": (name, b"two")})
        assert answer.json()["key"] == f"run/{key}"
    after = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="d"\r\n\r\nthree\r\n'
        b'--x\r\nContent-Disposition: form-data; name="prefix"\r\n\r\nlate\r\n--x--\r\n'
    )
    answer = client.post(f"{FILES}/upload", content=after, headers=form_headers())
    assert answer.json()["key"] == "late/d"
    assert client.get(f"{FILES}/late/d").content == b"three"
    assert browse(client, recursive=1) == [
        "late/d",
        "run/a.txt",
        "run/b.txt",
        "run/c.txt",
        "run/passwd",
    ]


def form_headers(boundary: str = "x") -> dict[str, str]:
    return {"content-type": f"multipart/form-data; boundary={boundary}"}


PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no form at all", PART, PART + b"\r\nhalf", PART + b"\r\nwhole\r\n--x",
        PART + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\nx\r\n--x--\r\n",
        PART + b"X: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n--x--\r\n",
    ],
)  # fmt: skip
def test_forms_that_are_none(client: Any, service: Service, body: bytes) -> None:
    """Cut short, flooded with headers, or nothing of the kind: 400, and nothing is left anywhere."""
    answer = client.post(f"{FILES}/upload", content=body, headers=form_headers())
    problem(answer, 400, "bad-document")
    assert service.app.world.objects.list("").items == ()


def test_forms_that_say_something_else(client: Any, service: Service) -> None:
    """Without a file, with a second one, with unknown fields, or not as a form at all."""
    cases = (
        ({"data": {"prefix": "x"}, "files": {"other": ("a", b"x")}}, ["other", "file"]),
        ({"files": [("file", ("a", b"x")), ("file", ("b", b"x"))]}, ["file"]),
        ({"files": [("file", ("", b"x"))]}, None),
        ({"files": {"file": ("x" * 2000, b"x")}}, None),
    )
    for how, expected in cases:
        answer = client.post(f"{FILES}/upload", **how)
        assert answer.status_code in {400, 422}, answer.text
        if expected:
            assert places(answer.json()) == expected
    problem(client.post(f"{FILES}/upload", json={}), 415, "media-type")
    problem(
        client.post(f"{FILES}/upload", content=b"", headers={"content-type": "multipart/form-data"}),
        400,
        "bad-document",
    )
    assert service.app.world.objects.list("").items == ()


def test_d48_nothing_of_a_customers_runs_here(client: Any) -> None:
    """D-48: whatever a file is called or holds, a browser saves it, and it stays within its header."""
    for name in ("a.html", "b.svg", "c.js", "<img src=x onerror=alert(1)>.html", "d\";\u2603'.xhtml"):
        put(client, name, b"<script>alert(1)</script>")
        answer = client.get(f"{FILES}/{quote(name)}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-disposition"].isascii()
    listing = client.get(FILES)
    assert listing.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_ranges(client: Any, asked: str, status: int, content: bytes, told: str | None) -> None:
    """A download that broke off goes on from where it was; what is no range is the whole file."""
    put(client, "digits", b"0123456789")
    answer = client.get(f"{FILES}/digits", headers={"range": asked})
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("content-range") == told
    assert answer.headers["content-length"] == str(len(content))


def test_etags(client: Any) -> None:
    """A part is only given of the file that is meant; what has not changed is not sent again."""
    put(client, "digits", b"0123456789")
    whole = client.get(f"{FILES}/digits")
    etag = whole.headers["etag"]
    same = client.get(f"{FILES}/digits", headers={"if-none-match": f'"x", {etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    part = {"range": "bytes=0-1"}
    assert client.get(f"{FILES}/digits", headers={**part, "if-range": etag}).content == b"01"
    put(client, "digits", b"abcdefghij")
    other = client.get(f"{FILES}/digits", headers={**part, "if-range": etag, "if-none-match": etag})
    assert (other.status_code, other.content) == (200, b"abcdefghij")
    head = client.head(f"{FILES}/digits")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    problem(client.get(f"{FILES}/nothing"), 404, "not-found")


def test_previews(client: Any) -> None:
    """Contract 4.4: the first lines of text, packed or not, and the names in an archive."""
    put(client, "a.txt", b"".join(b"line %d\n" % n for n in range(100)))
    told = client.get(f"{FILES}/a.txt/preview").json()
    assert (told["filename"], told["file_type"], told["size"]) == ("a.txt", "text", 790)
    assert (told["lines"][-1], told["total_lines"], told["truncated"]) == ("line 19", 100, True)
    assert len(client.get(f"{FILES}/a.txt/preview?lines=3").json()["lines"]) == 3
    put(client, "run/b.fastq.gz", gzip.compress(READS))
    assert client.get(f"{FILES}/run/b.fastq.gz/preview").json()["lines"][0] == "@read-1"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.sh", b"x")
    put(client, "c.zip", packed.getvalue())
    assert client.get(f"{FILES}/c.zip/preview").json()["lines"] == ["../../evil.sh"]


def test_d47_previews_that_cannot_be(client: Any) -> None:
    """D-47: a missing file is 404, and the number of lines has a bound."""
    problem(client.get(f"{FILES}/nothing/preview"), 404, "not-found")
    put(client, "a.txt")
    for lines in ("0", "1001", "-1", "x"):
        problem(client.get(f"{FILES}/a.txt/preview?lines={lines}"), 422, "invalid-input")
    problem(client.get(f"{FILES}/a.txt?lines=3"), 422, "invalid-input")


def test_what_we_keep_there_is_not_theirs(client: Any, service: Service) -> None:
    """Files on their way, and what keeps folders, are neither listed nor fetched."""
    service.app.world.objects.put("files/local/.daylily/arriving/7", b"x")
    client.post(f"{FILES}/create-folder", json={"folder_path": "empty"})
    assert browse(client) == ["empty/"]
    assert browse(client, recursive=1) == []
    problem(client.get(f"{FILES}/.daylily/arriving/7"), 404, "not-found")
    problem(client.get(f"{FILES}/empty/.keep"), 404, "not-found")
