"""One server speaks for a home."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.desk import Desk

from daylily.domain.errors import ConflictError
from daylily.entrypoints.presence import announced, check_alone
from daylily.entrypoints.service import Listener, listen


@pytest.fixture
def listeners() -> Iterator[list[Listener]]:
    """Two servers that listen."""
    two = [listen("127.0.0.1", 0) for _ in range(2)]
    yield two
    for each in two:
        each.socket.close()


def address_in(home: Path) -> str | None:
    """Return the address that is told, if one is."""
    path = home / "server.json"
    return json.loads(path.read_text())["url"] if path.exists() else None


def test_an_address_is_there_as_long_as_its_server(tmp_path: Path, listeners: list[Listener]) -> None:
    """It is written once the server answers, and goes with it."""
    home = tmp_path / "home"
    with announced(home, listeners[0]) as announce:
        assert address_in(home) is None
        announce()
        assert address_in(home) == listeners[0].url
    assert address_in(home) is None


def test_a_second_server_is_refused(tmp_path: Path, listeners: list[Listener]) -> None:
    """It is told where the first is, and leaves everything as it was, until the first has gone."""
    check_alone(tmp_path)
    with announced(tmp_path, listeners[0]) as announce:
        announce()
        for refused in (
            lambda: check_alone(tmp_path),
            lambda: announced(tmp_path, listeners[1]).__enter__(),
        ):
            with pytest.raises(ConflictError, match=f"at {listeners[0].url} .*--another"):
                refused()
        assert address_in(tmp_path) == listeners[0].url
    check_alone(tmp_path)
    with announced(tmp_path, listeners[1]) as announce:
        announce()
        assert address_in(tmp_path) == listeners[1].url


def test_another_leaves_the_address_of_the_first(tmp_path: Path, listeners: list[Listener]) -> None:
    """A further server that is meant neither tells its own address nor takes away the first's."""
    with announced(tmp_path, listeners[0]) as announce:
        announce()
        with announced(tmp_path, listeners[1], another=True) as announce_too:
            announce_too()
            assert address_in(tmp_path) == listeners[0].url
        assert address_in(tmp_path) == listeners[0].url


def test_what_a_killed_server_left_is_no_obstacle(tmp_path: Path, listeners: list[Listener]) -> None:
    """An address without a server behind it is written over; one that somebody else wrote is left."""
    (tmp_path / "server.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    (tmp_path / "server.lock").touch()
    check_alone(tmp_path)
    with announced(tmp_path, listeners[0]) as announce:
        announce()
        assert address_in(tmp_path) == listeners[0].url
        (tmp_path / "server.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    assert address_in(tmp_path) == "http://127.0.0.1:1"


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_second_up_touches_nothing(desk: Desk, listeners: list[Listener], command: str) -> None:
    """It exits 4 before it takes a port, or makes a token."""
    with announced(desk.home, listeners[0]) as announce:
        announce()
        there = sorted(desk.home.iterdir())
        result = desk.run(command, "--port", 0)
        assert result.exit_code == 4
        assert listeners[0].url in result.stderr
        assert sorted(desk.home.iterdir()) == there


def test_a_taken_port_touches_nothing(desk: Desk) -> None:
    """The second 'up' on a port says so (exit code 4), and makes neither token nor home."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = desk.run("up", "--port", taken.getsockname()[1])
    assert result.exit_code == 4
    assert "--port 0" in result.stderr
    assert not desk.home.exists()
