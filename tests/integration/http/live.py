"""A real server on a free port of loopback, on the stores of a laptop."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import uvicorn
from attrs import define, evolve

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import App, bootstrap, connect
from daylily.config import Settings
from daylily.entrypoints.http.app import create_asgi

TOKEN = "a-token-that-only-the-operator-has"


@define
class Live:
    """A server that runs in a thread; its engine ends jobs when a test says so."""

    app: App
    compute: InMemoryCompute
    url: str
    port: int

    def end(self, workset_id: str, **how: Any) -> None:
        """Let the running attempt of a workset end, and have a monitor record it."""
        self.compute.end(self.app.world.store.get(workset_id).attempt_key, **how)
        self.app.cycle()


@contextmanager
def serving(home: Path, *, engine: Literal["memory", "local"] = "memory") -> Iterator[Live]:
    """Serve with a token, on SQLite and a directory below *home*; jobs of ``local`` are programs."""
    settings = Settings(home=home, engine=engine, max_concurrent=2)
    compute, world = InMemoryCompute(utc_now, None), connect(settings)
    app = bootstrap(settings, world=evolve(world, compute=compute) if engine == "memory" else world)
    # Only of a socket that says it is TCP does asyncio switch off what holds small answers back 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    up = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            up.set()

    asgi = create_asgi(app, admin_token=TOKEN)
    config = uvicorn.Config(
        asgi, log_config=None, server_header=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert up.wait(30)
        yield Live(app, compute, f"http://127.0.0.1:{port}", port)
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        app.world.close()
