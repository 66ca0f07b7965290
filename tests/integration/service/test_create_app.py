"""The service under servers that are not ours: whom it lets in, and what it says to everybody else."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from litestar.testing import TestClient
from tests.integration.service.service import TOKEN, Service, problem

from daylib import workset_api
from daylib.workset_state_db import WorksetStateDB
from daylily.bootstrap import App, compose
from daylily.config import Secret
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.entrypoints.http.asgi import LazyApp, create_app
from daylily.entrypoints.service import ensure_admin_token

CURL = {"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5}
CLOSED = (
    "/worksets",
    "/v1/worksets",
    "/api/customers/local/worksets",
    "/api/customers/local/files",
    "/portal",
    "/portal/login",
    "/openapi.json",
)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service on adapters in memory, with a home that is empty."""
    return Service.new(home=tmp_path / "home")


def app_of(service: Service, **settings: Any) -> App:
    """Return its use cases, with other settings."""
    return compose(evolve(service.app.settings, **settings), service.app.world)


@contextmanager
def client(
    app: App, address: str | None = "127.0.0.1", url: str = "http://127.0.0.1:8000"
) -> Iterator[Any]:
    """Yield a client whose requests come from *address*."""
    asgi = create_app(app=app)

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = (address, 50000) if address else None
        await asgi(scope, receive, send)

    with TestClient(seen, base_url=url) as caller:
        caller.follow_redirects = False
        yield caller


class TestNothingConfigured:
    """Then it serves its own machine."""

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
    def test_its_own_machine_is_let_in(self, service: Service, address: str) -> None:
        """Under whatever name that machine goes by to itself."""
        with client(service.app, address) as caller:
            for name in ("127.0.0.1:8000", "LOCALHOST:8001", "[::1]:8000", "localhost"):
                assert caller.get("/worksets", headers={"host": name}).json() == []
                assert caller.get("/portal", headers={"host": name}).status_code == 200

    @pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "ada", None])
    def test_others_are_told_why_not(self, service: Service, address: str | None) -> None:
        """401, and what to do; whatever they ask for."""
        with client(service.app, address) as caller:
            for path in CLOSED:
                answer = caller.get(path)
                assert (path, answer.status_code) == (path, 401)
                assert "DAYLILY_TOKEN" in answer.text

    @pytest.mark.parametrize(
        "header",
        [
            {"X-Forwarded-For": "127.0.0.1"},
            {"Forwarded": "for=127.0.0.1"},
            {"X-Real-IP": "127.0.0.1"},
            {"Via": "1.1 proxy"},
        ],
    )
    def test_no_header_makes_anybody_local(self, service: Service, header: dict[str, str]) -> None:
        """Servers believe proxies on their own machine, and show what these say as the address."""
        with client(service.app, "127.0.0.1") as caller:
            problem(caller.get("/worksets", headers=header), 401, "closed")
        with client(service.app, "192.0.2.7") as caller:
            problem(caller.get("/worksets", headers=header), 401, "closed")

    def test_a_name_that_was_made_to_point_here_is_not_here(self, service: Service) -> None:
        """A page of somebody else's, open in a browser on this machine (DNS rebinding)."""
        with client(service.app, "127.0.0.1", "http://evil.example:8000") as caller:
            problem(caller.get("/worksets"), 401, "closed")

    @pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
    def test_estimate_and_health_are_open(self, service: Service, address: str) -> None:
        """To everybody, under any name; the guide's request costs what it always did."""
        with client(service.app, address, "http://api.example.org:8001") as caller:
            answer = caller.post("/api/estimate-cost", json=CURL)
            assert answer.status_code == 200
            assert answer.json()["estimated_cost_usd"] == 13.04
            for path in ("/", "/health/live", "/health/ready", "/v1/api/estimate-cost"):
                assert caller.get(path).status_code in {200, 405}

    def test_what_changes_something_is_refused_too(self, service: Service) -> None:
        """Before anything of it is read."""
        with client(service.app, "192.0.2.7") as caller:
            for path in ("/api/customers/local/worksets", "/portal/login"):
                assert caller.post(path, content=b"{").status_code == 401
            assert caller.put("/api/customers/local/files/a.fastq", content=b"x").status_code == 401
        assert service.app.world.objects.list("").items == ()


class TestConfigured:
    """Then the token decides, wherever one comes from."""

    def test_the_token_of_the_settings(self, service: Service) -> None:
        """From anywhere, by any name; not even this machine passes without it."""
        app = app_of(service, token=Secret(TOKEN))
        with client(app, "192.0.2.7", "https://api.example.org") as caller:
            problem(caller.get("/worksets"), 401, "unauthenticated")
            assert caller.get("/worksets", headers={"Authorization": f"Bearer {TOKEN}"}).json() == []
        with client(app, "127.0.0.1") as caller:
            problem(caller.get("/worksets"), 401, "unauthenticated")

    def test_the_token_of_the_home(self, service: Service) -> None:
        """Where ``daylily up`` has made one, it counts."""
        token = ensure_admin_token(service.app.settings.home)
        with client(service.app, "127.0.0.1") as caller:
            problem(caller.get("/worksets"), 401, "unauthenticated")
            assert caller.get("/worksets", headers={"Authorization": f"Bearer {token}"}).json() == []

    def test_a_token_that_can_be_guessed_is_none(self, service: Service) -> None:
        """It is refused before anybody is let in by it."""
        with pytest.raises(InvalidInputError, match="shorter than 16"):
            create_app(app=app_of(service, token=Secret("0123456789")))

    @pytest.mark.parametrize("name", ["cognito_user_pool_id", "cognito_app_client_id"])
    def test_who_counts_on_cognito_is_not_left_open(self, service: Service, name: str) -> None:
        """Nobody is let in as operator where users were to be told apart."""
        with client(app_of(service, **{name: "us-west-2_abc"}), "127.0.0.1") as caller:
            told = problem(caller.get("/worksets"), 401, "closed")
            assert "Cognito" in told["detail"]
            assert caller.post("/api/estimate-cost", json=CURL).status_code == 200


class TestMade:
    """What it is made of, and when."""

    def test_the_guide_names_table_and_bucket(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is asked of AWS before somebody asks us."""
        monkeypatch.setenv("DAYLILY_HOME", str(tmp_path))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        asgi = workset_api.create_app(
            state_db=WorksetStateDB(table_name="daylily-worksets"),
            s3_bucket="daylily-worksets-bucket",
            s3_prefix="worksets/",
        )
        assert {route.path for route in asgi.routes} >= {"/v1/api/estimate-cost", "/v1/worksets"}

    def test_stores_are_let_go_of_in_the_end(self, service: Service) -> None:
        """With the server."""
        closed: list[bool] = []
        world = evolve(service.app.world, close=lambda: closed.append(True))
        with client(compose(service.app.settings, world)) as caller:
            caller.get("/")
            assert closed == []
        assert closed == [True]


class TestLazily:
    """At first use."""

    def test_it_is_made_once(self, service: Service) -> None:
        """However many ask at first."""
        made: list[object] = []

        def make() -> object:
            made.append(create_app(app=service.app))
            return made[-1]

        lazy = TestClient(LazyApp(make), base_url="http://127.0.0.1:8000")
        with lazy as caller, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: caller.get("/health/live"), range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert len(made) == 1

    async def _start(self, app: LazyApp) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> dict[str, str]:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "lifespan"}, receive, send)
        return sent

    def test_settings_that_are_wrong_keep_a_server_from_starting(self) -> None:
        """The server is told so, in words: it would take an exception for a lack of interest."""

        def make() -> object:
            raise UnavailableError("state.db: disk full")

        (sent,) = asyncio.run(self._start(LazyApp(make)))
        assert sent == {
            "type": "lifespan.startup.failed",
            "message": "UnavailableError: state.db: disk full",
        }

    def test_a_server_that_never_says_hello_is_told_with_the_first_request(self) -> None:
        """And it is tried again with the next."""
        tries: list[int] = []

        def make() -> object:
            tries.append(1)
            raise UnavailableError("state.db: disk full")

        async def ask() -> None:
            transport = httpx.ASGITransport(LazyApp(make))
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as caller:
                for _ in range(2):
                    with pytest.raises(UnavailableError):
                        await caller.get("/")

        asyncio.run(ask())
        assert len(tries) == 2

    def test_importing_it_reads_nothing(self) -> None:
        """Neither settings nor stores: the module's own app has not been made."""
        assert workset_api.app._app is None
