"""The service below a path of another application, or of a proxy: the same routes and keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient
from structlog.testing import capture_logs
from tests.integration.service.service import BASE, TOKEN, Service

from daylily.entrypoints.http.access_log import Logged
from daylily.entrypoints.http.app import create_asgi

HEADERS = {"authorization": f"Bearer {TOKEN}"}
READS = b"@read-1\nACGT\n+\nIIII\n"


def below(path: str, asgi: Any, *, told: bool) -> Any:
    """
    Return an application that has another one below *path*.

    Args:
        told: Whether it says so by ``root_path`` and leaves the path whole, as Starlette and uvicorn
            do; or takes it off, and says nothing, as Litestar does.
    """

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(path)
            changes = {"root_path": path} if told else {"path": scope["path"].removeprefix(path)}
            scope = {**scope, **changes}
        await asgi(scope, receive, send)

    return outer


@pytest.fixture(params=[True, False], ids=["told", "not told"])
def mounted(service: Service, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of the service below ``/lab/v1``."""
    asgi = below("/lab/v1", Logged(create_asgi(service.app, admin_token=TOKEN)), told=request.param)
    with TestClient(asgi, base_url=BASE) as client:
        client.headers.update(HEADERS)
        yield client


@pytest.mark.parametrize("prefix", ["/lab/v1", "/lab/v1/v1"])
def test_a_workset_of_a_file(mounted: Any, prefix: str) -> None:
    """Both addresses of each route answer; a file has the key that was meant; links lead back."""
    mine = f"{prefix}/api/customers/local"
    assert mounted.put(f"{mine}/files/run 7/a_R1.fastq", content=READS).status_code == 201
    (file,) = mounted.get(f"{mine}/files?recursive=1").json()["files"]
    assert file["key"] == "run 7/a_R1.fastq"
    assert mounted.get(f"{mine}/files/run 7/a_R1.fastq").content == READS
    assert mounted.put(f"{mine}/files//x", content=READS).status_code == 422
    body = {
        "workset_name": "Trio",
        "pipeline_type": "fastq-qc",
        "samples": [{"sample_id": "A", "r1_file": "run 7/a_R1.fastq"}],
    }
    made = mounted.post(f"{mine}/worksets", json=body)
    assert made.status_code == 201
    assert mounted.get(made.headers["location"]).json()["workset_name"] == "Trio"


def test_no_signature_in_its_log(mounted: Any) -> None:
    """An address that is signed is a secret wherever it stands."""
    with capture_logs() as logs:
        mounted.get("/lab/v1/signed/0123/local/secret")
    assert [each["path"] for each in logs] == ["/lab/v1/signed/********"]
