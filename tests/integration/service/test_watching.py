"""The service looks at the monitors' signs of life for as long as it runs."""

import threading

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from tests.unit.application.lab import Lab

from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.watching import watching


def test_it_looks_again_and_again_until_it_stops() -> None:
    """Beside requests, and whatever a look takes: who stops the service does not wait for one."""
    third, stuck, looks = threading.Event(), threading.Event(), list[None]()

    def look() -> None:
        looks.append(None)
        if len(looks) == 3:
            third.set()
            stuck.wait(60)

    with TestClient(Litestar(lifespan=[watching(look, every=0.001)])):
        assert third.wait(60)
    stuck.set()
    assert len(looks) == 3


def test_the_service_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is part of its life."""
    looked = threading.Event()
    app = Lab().app()
    monkeypatch.setattr("daylily.entrypoints.http.watching.LOOK_EVERY", 0.001)
    monkeypatch.setattr(type(app.watch), "__call__", lambda _: looked.set())
    with TestClient(create_asgi(app, admin_token="a" * 32)):
        assert looked.wait(60)
