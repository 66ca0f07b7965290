"""The pages of a customer's files: what they show, take in and give out, and to whom."""

import gzip
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve, frozen
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import READS, Service
from tests.integration.service.test_portal_pages import HOSTILE, safe

from daylily.adapters.pieced_transfers import PiecedTransfers
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.portal import files_page
from daylily.ports.transfers import Upload

API = "/portal/api/customers/local/uploads"


def put(service: Service, key: str, content: bytes = READS, customer: str = "local") -> None:
    """Have a file there."""
    service.app.world.objects.put(f"files/{customer}/{key}", content)


def links(answer: Any) -> list[str]:
    """Return where a page leads."""
    return [str(each["href"]) for each in safe(answer).all("a")]


def uploaded(browser: Any, name: str, content: bytes = READS, **fields: str) -> Any:
    """Upload as a browser without scripts does."""
    csrf = csrf_of(browser.get("/portal/files"))
    parts = [(key, (None, value)) for key, value in {"csrf": csrf, **fields}.items()]
    return browser.post("/portal/files/upload", files=[*parts, ("file", (name, content))])


def posted(browser: Any, path: str, **fields: str) -> Any:
    """Send a form of the page."""
    return browser.post(path, data={"csrf": csrf_of(browser.get("/portal/files")), **fields})


def test_folders(service: Service, browser: Any) -> None:
    """A folder shows what is in it, the way back, and nothing of what we keep there ourselves."""
    for key in ("run 7/a_R1.fastq", "run 7/deep/b.txt", "notes.txt", "run 7/.keep", ".daylily/x"):
        put(service, key)
    top, inner = browser.get("/portal/files"), browser.get("/portal/files?folder=run+7/")

    assert "/portal/files?folder=run+7%2F" in links(top)
    assert ".keep" not in [row for row in safe(inner).text.split() if row == ".keep"][1:]
    assert ".daylily/x" not in top.text
    assert {"/portal/files", "/portal/files?folder=run+7%2Fdeep%2F"} <= {*links(inner)}
    assert "Make a workset of those ticked" in inner.text
    assert "Make a workset of those ticked" not in top.text
    assert "Nothing is here yet" in browser.get("/portal/files?folder=none").text


def test_pages_of_a_folder(service: Service, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much for a page goes on on the next, to the last, and back to the first."""
    monkeypatch.setattr(files_page, "ENTRIES", 2)
    for number in range(5):
        put(service, f"{number}.fastq")
    seen, address = [], "/portal/files"
    while address:
        found = links(browser.get(address))
        seen += [each for each in found if each.startswith("/portal/files/look")]
        address = next((each for each in found if "cursor=" in each), "")
    assert len(seen) == len({*seen}) == 5
    assert browser.get("/portal/files?cursor=nonsense").status_code == 400


def test_upload_without_scripts(service: Service, browser: Any) -> None:
    """A file is stored in the folder that is shown; a name that is ours is refused, and told why."""
    done = uploaded(browser, "a_R1.fastq", prefix="run 7/")
    assert (done.status_code, done.headers["location"]) == (303, "/portal/files?folder=run+7")
    assert "a_R1.fastq" in browser.get("/portal/files?folder=run+7").text

    for name in ("daylily.lock", "re\u202eqtsaf", ".keep"):
        answer = uploaded(browser, name, prefix="run 7/")
        assert answer.status_code == 422, name
        safe(answer)
    assert "is a name that daylily itself uses" in uploaded(browser, "daylily.ready").text
    assert [each.key for each in service.app.world.objects.list("files/").items] == [
        "files/local/run 7/a_R1.fastq"
    ]


def test_nothing_is_taken_without_the_token(service: Service, browser: Any) -> None:
    """Forms and scripts that do not carry the session's token store, remove and begin nothing."""
    put(service, "a.txt")
    file = ("file", ("b.txt", b"x"))
    assert browser.post("/portal/files/upload", files=[file]).status_code == 403
    assert browser.post("/portal/files/upload", files=[("csrf", (None, "x")), file]).status_code == 403
    assert browser.post("/portal/files/delete", data={"key": "a.txt", "csrf": "x"}).status_code == 403
    assert browser.post("/portal/files/folder", data={"name": "n"}).status_code == 403
    assert browser.post(API, json={"key": "b.txt", "size": 1}).status_code == 403
    assert browser.put("/portal/api/customers/local/files/b.txt", content=b"x").status_code == 403
    assert [each.key for each in service.app.world.objects.list("files/").items] == [
        "files/local/a.txt"
    ]


def test_upload_in_pieces(browser: Any) -> None:
    """A script begins, breaks off, asks how far it has come, goes on, and the file appears whole."""
    headers = {"x-csrf-token": csrf_of(browser.get("/portal/files"))}
    begun = browser.post(API, json={"key": "big.fastq", "size": len(READS)}, headers=headers).json()
    place = f"{API}/{begun['upload_id']}"
    assert begun["part_size"] is None

    def append(offset: int, piece: bytes) -> int:
        more = {"upload-offset": str(offset), "content-type": "application/octet-stream"}
        return int(browser.patch(place, content=piece, headers={**headers, **more}).status_code)

    assert append(0, READS[:7]) == 200
    assert append(0, READS[:7]) == 409
    offset = browser.get(place).json()["offset"]
    assert append(offset, READS[offset:]) == 200
    assert "big.fastq" not in browser.get("/portal/files").text
    assert browser.post(f"{place}/complete", headers=headers).status_code == 201
    assert "big.fastq" in browser.get("/portal/files").text
    problem = browser.post(API, json={"key": "../x", "size": 1}, headers=headers)
    assert problem.headers["content-type"] == "application/problem+json"


def test_previews(service: Service, browser: Any) -> None:
    """Text, packed text and archives are shown at a glance; what they hold is shown as text."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("<b>inside</b>.txt", b"x")
    put(service, "t.txt", b"<script>alert(1)</script>\n")
    put(service, "r.fastq.gz", gzip.compress(READS))
    put(service, "a.zip", archive.getvalue())
    put(service, "b.bin", b"\0\1")
    put(service, "empty", b"")
    for key, text in (
        ("t.txt", "<script>alert(1)</script>"), ("r.fastq.gz", "@read-1"),
        ("a.zip", "<b>inside</b>.txt"),
        ("b.bin", "cannot be shown"), ("empty", "It is empty"),
    ):  # fmt: skip
        assert text in safe(browser.get("/portal/files/look", params={"key": key})).text
    assert browser.get("/portal/files/look?key=nope").status_code == 404
    assert browser.get("/portal/files/look").status_code == 422


def test_download(service: Service, browser: Any) -> None:
    """A file is sent to be saved, whatever it is, and a part of it where that is asked for."""
    put(service, "page.html", b"<h1>x</h1>")
    answer = browser.get("/portal/files/download?key=page.html")
    assert answer.content == b"<h1>x</h1>"
    assert answer.headers["content-disposition"].startswith("attachment")
    part = browser.get("/portal/files/download?key=page.html", headers={"range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"h1")


def test_delete_is_asked_first(service: Service, browser: Any) -> None:
    """Nothing goes on a look; a confirmed form removes, and a folder that is not empty stays."""
    put(service, "run/a.txt")
    question = browser.get("/portal/files/delete?key=run/a.txt")
    assert "cannot be had back" in safe(question).text
    full = posted(browser, "/portal/files/delete", key="run/")
    assert (full.status_code, "is not empty" in safe(full).text) == (409, True)
    done = posted(browser, "/portal/files/delete", key="run/a.txt")
    assert (done.status_code, done.headers["location"]) == (303, "/portal/files?folder=run")
    assert posted(browser, "/portal/files/delete", key="run/a.txt").status_code == 404
    assert browser.get("/portal/files/delete?key=run/a.txt").status_code == 404


def test_new_folder(browser: Any) -> None:
    """A folder is there at once; a name that cannot be is told, and what was typed stays."""
    done = posted(browser, "/portal/files/folder", folder="", name="run 8")
    assert done.headers["location"] == "/portal/files?folder=run+8"
    inner = posted(browser, "/portal/files/folder", folder="run 8/", name="deep")
    assert inner.headers["location"] == "/portal/files?folder=run+8%2Fdeep"
    refused = posted(browser, "/portal/files/folder", folder="run 8/", name="../x<b>")
    assert refused.status_code == 422
    assert 'value="../x&lt;b&gt;"' in refused.text
    assert posted(browser, "/portal/files/folder", folder="../", name="x").status_code == 422


def test_room(service: Service, browser: Any) -> None:
    """A customer with an agreement sees what is used of it; the installation itself has none."""
    put(service, "a.fastq", b"x" * 2048, customer="acme")
    assert "GB used" not in browser.get("/portal/files").text
    with service.client(None) as client:
        sign_in(client, service.person("ada", "acme"))
        assert "2.0 KB of" in " ".join(safe(client.get("/portal/files")).text.split())


def test_the_picker(service: Service, browser: Any) -> None:
    """To be picked there are folders and FASTQ files alone."""
    put(service, "a_R1.fastq")
    put(service, "notes.txt")
    put(service, "run/b.fastq")
    page = safe(browser.get("/portal/live/files"))
    assert [each.get("value") for each in page.all("input")] == ["a_R1.fastq"]
    assert "/portal/live/files?folder=run%2F" in [each.get("href") for each in page.all("a")]
    with service.client(None) as stranger:
        assert stranger.get("/portal/live/files").status_code == 401


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(service: Service, browser: Any, name: str) -> None:
    """Whatever a file is called, its links lead to it, and its name is shown and nothing else."""
    key = f"f/{name.replace('/', '_')}.fastq"
    put(service, key)
    folder = browser.get("/portal/files?folder=f")
    for address in links(folder):
        if "key=" in address:
            answer = browser.get(address)
            assert answer.status_code == 200
            if "download" not in address:
                assert key.removeprefix("f/") in safe(answer).text
    safe(browser.get("/portal/live/files?folder=f"))
    safe(browser.get("/portal/files", params={"folder": name.strip("/")}))


def test_another_tenant_sees_nothing(service: Service, browser: Any) -> None:
    """Files of one customer are not there for another, by whichever way."""
    put(service, "secret.fastq")
    with service.client(None) as client:
        sign_in(client, service.person("eve", "acme"))
        assert "secret" not in client.get("/portal/files").text
        for page in ("look", "download", "delete"):
            assert client.get(f"/portal/files/{page}?key=secret.fastq").status_code == 404
            assert client.get(f"/portal/files/{page}?key=../local/secret.fastq").status_code == 422
        headers = {"x-csrf-token": csrf_of(client.get("/portal/files"))}
        for method, path in (
            ("POST", API), ("GET", f"{API}/e30"), ("PUT", "/portal/api/customers/local/files/a"),
        ):  # fmt: skip
            body = {"key": "a", "size": 1}
            assert client.request(method, path, json=body, headers=headers).status_code == 404


@frozen(eq=False)
class StoreOfItsOwn(PiecedTransfers):
    """A store that takes parts itself, as long as it is there."""

    away: bool = False

    def part_url(self, upload: Upload, number: int, *, lasting: timedelta) -> str:
        """See Transfers.part_url."""
        if self.away:
            raise UnavailableError("the store is away")
        return f"https://bucket.store.example/{upload.key}?partNumber={number}&signature=secret"


def test_only_pages_that_upload_may_ask_the_store(service: Service, browser: Any) -> None:
    """Where parts go to the store itself, the policy of such pages names it, and of no other page."""

    def policy(path: str, *, away: bool = False) -> str:
        app, clock = service.app, service.clock
        own = StoreOfItsOwn(app.world.objects, app.files.places.uploads, clock, away=away)
        elsewhere = evolve(app, uploads=evolve(app.uploads, transfers=own))
        with evolve(service, app=elsewhere, up={}).client(None) as client:
            sign_in(client)
            return str(client.get(path).headers["content-security-policy"])

    for path in ("/portal/files", "/portal/submit"):
        assert "connect-src 'self' https://bucket.store.example;" in policy(path)
    assert "connect-src 'self';" in policy("/portal/worksets")
    assert "connect-src 'self';" in policy("/portal/files", away=True)
    assert "connect-src 'self';" in browser.get("/portal/files").headers["content-security-policy"]
