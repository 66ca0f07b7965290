"""Lines of a log carry the ids of what they are about."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import structlog
from tests.integration.service.service import MINE, Service
from tests.unit.application.lab import Lab

from daylily.adapters.document_identities import SESSION_PREFIX
from daylily.application.subject import about
from daylily.domain.errors import UnavailableError
from daylily.entrypoints import diary
from daylily.entrypoints.http.access_log import Logged
from daylily.entrypoints.service import MonitorLoop


@contextmanager
def json_logs() -> Iterator[None]:
    """Log JSON for as long as the block lasts, as with --json-logs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    diary.keep("INFO", as_json=True)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Return what was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_steps_of_a_monitor(capsys: pytest.CaptureFixture[str]) -> None:
    """What is said of a workset names it and its attempt, whichever library says it."""
    lab = Lab()
    workset = lab.submit("one")
    with json_logs():
        MonitorLoop(lab.app().cycle, timedelta(seconds=1)).step()
    (moved,) = [line for line in lines(capsys) if line["event"] == "workset moved"]
    assert (moved["workset"], moved["attempt"]) == (workset.workset_id, 1)

    with json_logs(), about(lab.get(workset.workset_id)):
        logging.getLogger("botocore.retries").warning("slow")
    (said,) = lines(capsys)
    assert (said["event"], said["workset"], said["attempt"]) == ("slow", workset.workset_id, 1)


def test_requests(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is said while a request is answered carries its id, in threads as well."""

    def read(*_: object, **__: object) -> object:
        logging.getLogger("daylily.adapters").warning("deep inside")
        raise RuntimeError("a bug")

    service = Service.new()
    monkeypatch.setattr(type(service.app.read), "get", read)
    with service.client() as client, json_logs():
        answer = client.get(f"{MINE}/worksets/ws-1", headers={"x-request-id": "r-77"})
    assert answer.status_code == 500
    found = lines(capsys)
    inside = [line for line in found if line["event"] == "deep inside"]
    assert [(line["request_id"], line["workset"]) for line in inside] == [("r-77", "ws-1")]
    assert all(line.get("request_id") == "r-77" for line in found if line["level"] == "error")


def test_requests_of_whom_nobody_can_tell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage at the door is told under the request's id as any other."""

    def verify(*_: object) -> object:
        raise UnavailableError("no tokens today")

    service = Service.new()
    monkeypatch.setattr(type(service.app.world.verifiers[0]), "verify", verify)
    session = f"{SESSION_PREFIX}{'0' * 40}"
    with service.client(session) as client, json_logs():
        answer = client.get(f"{MINE}/worksets", headers={"x-request-id": "r-78"})
    assert answer.status_code == 503
    (told,) = [line for line in lines(capsys) if "no tokens today" in str(line["event"])]
    assert told["request_id"] == "r-78"


def test_the_line_of_a_request_names_its_workset() -> None:
    """So that one filter finds all that was done to it."""
    with structlog.testing.capture_logs() as said:
        Logged._tell(
            {
                "method": "GET",
                "path": "/worksets/ws-1",
                "headers": [],
                "type": "http",
                "path_params": {"workset_id": "ws-1"},
            },
            {"status": 200, "bytes": 0},
            0.1,
        )
    assert said[0]["workset"] == "ws-1"
