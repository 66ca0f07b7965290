"""Large uploads bit by bit, and downloads at addresses that are signed for a while."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from attrs import evolve
from tests.integration.service.service import MINE, Service, places, problem

from daylily.application.upload_in_parts import LASTING
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.ports.transfers import Part, Upload

UPLOADS = f"{MINE}/uploads"
KEY = "run 7/späte.fastq"


def begin(client: Any, size: int = 10, key: str = KEY) -> str:
    answer = client.post(UPLOADS, json={"key": key, "size": size})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{UPLOADS}/{answer.json()['upload_id']}"
    assert (answer.json()["offset"], answer.json()["parts"]) == (0, [])
    return str(answer.headers["location"])


def append(client: Any, place: str, offset: int, content: bytes, **headers: str) -> Any:
    return client.patch(place, content=content, headers={"upload-offset": str(offset), **headers})


def test_an_upload_goes_on_after_a_break(client: Any) -> None:
    """What came before the connection broke stays; the file appears when all of it is there."""
    place = begin(client)
    assert append(client, place, 0, b"0123").headers["upload-offset"] == "4"
    problem(append(client, place, 4, b"45", **{"content-length": "6"}), 400, "cut-short")
    told = client.get(place)
    assert (told.headers["upload-offset"], told.json()["offset"], told.json()["size"]) == ("6", 6, 10)
    problem(client.post(f"{place}/complete"), 409, "conflict")
    assert client.get(f"{MINE}/files/{quote(KEY)}").status_code == 404
    problem(append(client, place, 4, b"x"), 409, "conflict")
    problem(append(client, place, 6, b"6789 and more"), 409, "conflict")
    assert append(client, place, 6, b"6789").json()["offset"] == 10
    done = client.post(f"{place}/complete")
    assert (done.status_code, done.json()["key"], done.json()["size"]) == (201, KEY, 10)
    assert client.get(f"{MINE}/files/{quote(KEY)}").content == b"0123456789"
    problem(client.get(place), 404, "not-found")


def test_uploads_are_given_up(client: Any, service: Service) -> None:
    """Nothing of one stays."""
    place = begin(client)
    append(client, place, 0, b"0123")
    assert client.delete(place).json() == {"success": True, "deleted": KEY}
    problem(client.get(place), 404, "not-found")
    assert service.app.world.objects.list("").items == ()


def test_the_trail_names_files(client: Any) -> None:
    """Who did what says which file an upload was of, and has no entry for each of its pieces."""
    place = begin(client)
    for offset in range(0, 10, 2):
        append(client, place, offset, b"xx")
    client.post(f"{place}/complete")
    client.delete(begin(client))
    told = client.get(f"{MINE}/audit").json()["entries"]
    done = ["abortUpload", "beginUpload", "beginUpload", "completeUpload"]
    assert sorted(each["action"] for each in told) == done
    assert {each["target"] for each in told} == {f"{MINE}/files/{quote(KEY)}"}


def test_what_cannot_be_begun(client: Any) -> None:
    """Sizes and keys that cannot be; offsets that are none."""
    for size in (0, -1, 6 << 40, 1.5, None):
        answer = client.post(UPLOADS, json={"key": "a", "size": size})
        assert set(places(problem(answer, 422, "invalid-input"))) == {"size"}
    for key in ("../x", "daylily.ready", "a//b", ""):
        answer = client.post(UPLOADS, json={"key": key, "size": 1})
        problem(answer, 422, "invalid-input")
    place = begin(client)
    for offset in ("", "-1", "x", "9" * 20):
        answer = client.patch(place, content=b"x", headers={"upload-offset": offset})
        assert places(problem(answer, 422, "invalid-input")) == ["Upload-Offset"]


def test_uploads_of_others(client: Any) -> None:
    """An upload is its customer's; whatever else is made of its name leads nowhere."""
    place = begin(client)
    upload_id = place.rpartition("/")[2]
    problem(client.get(f"/api/customers/acme/uploads/{upload_id}"), 404, "not-found")
    padded = base64.urlsafe_b64decode(upload_id + "=" * (-len(upload_id) % 4))
    key, size, token, part_size = json.loads(padded)
    forgeries: tuple[object, ...] = (
        [key, size + 1, token, part_size], ["../../x", size, token, part_size],
        [key, size, "../x", None],
        [key, size, 7, None], [key, "10", token, None], [key, size, token, "x"], [key], {}, "x",
        ["daylily.ready", size, token, None], [key, 0, token, None], [key, size, token, 0],
    )  # fmt: skip
    for said in forgeries:
        forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        problem(client.get(f"{UPLOADS}/{forged}"), 404, "not-found")
    for forged in ("x", "%ff", "!", "é", "W1tbW1tb" * 2000):
        problem(client.get(f"{UPLOADS}/{forged}"), 404, "not-found")


class Elsewhere:
    """Transfers of a store that clients reach themselves."""

    def __init__(self) -> None:
        self.completed: list[Part] = []

    def begin(self, key: str, size: int) -> Upload:
        return Upload(key=key, size=size, token="t", part_size=4)

    def part_url(self, upload: Upload, number: int, **how: Any) -> str:
        return f"https://store.example/{upload.key}?part={number}"

    def offset(self, upload: Upload) -> int:
        return 0

    def complete(self, upload: Upload, parts: Any) -> Any:
        self.completed += parts
        raise NotFoundError("there is no such upload")

    def download_url(self, key: str, **how: Any) -> str:
        return f"https://store.example/{key}"


def test_parts_are_sent_to_the_store(client: Any, service: Service) -> None:
    """Each to an address of its own, a hundred of them at a time; and so are downloads."""
    transfers = Elsewhere()
    with service.replacing(transfers=transfers).client() as other:
        told = other.post(UPLOADS, json={"key": "a", "size": 1001}).json()
        assert (told["part_size"], len(told["parts"])) == (4, 100)
        assert told["parts"][0] == {
            "number": 1, "url": "https://store.example/files/local/a?part=1", "start": 0, "stop": 4,
        }  # fmt: skip
        place = f"{UPLOADS}/{told['upload_id']}"
        rest = other.get(f"{place}?first=250").json()["parts"]
        assert [(part["number"], part["start"], part["stop"]) for part in rest] == [
            (250, 996, 1000), (251, 1000, 1001),
        ]  # fmt: skip
        parts = [{"number": 1, "etag": "x"}, {"number": 2, "etag": "y"}]
        problem(other.post(f"{place}/complete", json={"parts": parts}), 404, "not-found")
        assert transfers.completed == [Part(1, "x"), Part(2, "y")]
        problem(other.post(f"{place}/complete", json={"parts": [{}]}), 422, "invalid-input")
        other.put(f"{MINE}/files/a", content=b"x")
        link = other.get(f"{MINE}/files/a/download-url").json()
        assert link == {"url": "https://store.example/files/local/a", "expires_in": 3600}
        problem(other.get(f"{MINE}/files/none/download-url"), 404, "not-found")


def test_signed_addresses(client: Any, service: Service) -> None:
    """Whoever has one fetches that file without a token, in parts too, until it runs out."""
    client.put(f"{MINE}/files/{quote(KEY)}", content=b"0123456789")
    url = client.get(f"{MINE}/files/{quote(KEY)}/download-url").json()["url"]
    assert url.startswith("http://127.0.0.1:8000/signed/")
    path = urlsplit(url).path
    with service.client(token=None) as anybody:
        answer = anybody.get(path)
        assert answer.content == b"0123456789"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert anybody.get(path, headers={"range": "bytes=2-3"}).content == b"23"
        for other in (
            path.replace("sp%C3%A4te", "other"), path.replace("/local/", "/acme/"),
            path.replace("/signed/", "/signed/9"), path.replace("-", "-0"), "/signed/x-y/local/a",
            "/signed/-/local/a", "/signed/99999999999999-x/local/a", "/signed/%C2%B2-x/local/a",
        ):  # fmt: skip
            problem(anybody.get(other), 404, "not-found")
        service.clock.advance(LASTING)
        assert "run out" in problem(anybody.get(path), 404, "not-found")["detail"]


def test_servers_sign_alike(service: Service, client: Any) -> None:
    """Whichever server has made an address, any other on the same stores serves it."""
    client.put(f"{MINE}/files/a", content=b"x")
    ada = Principal(name="ada", customer_id="local")
    one = service.app.links(ada, "local", "a", "attachment")
    other = evolve(service).replacing().app.links
    token = one.split("/")[2]
    assert other.open(token, "local", "a").open().read() == b"x"
    with pytest.raises(NotFoundError):
        service.app.links(evolve(ada, customer_id="acme"), "local", "a", "attachment")
