"""The service for fuzzing, in memory, with a monitor: ``-m tests.integration.http.fuzzed TOKEN``."""

import socket
import sys
import threading
import time
from datetime import timedelta

from attrs import evolve

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.system import utc_now
from daylily.bootstrap import App, bootstrap, connect
from daylily.config import Settings
from daylily.domain.customers import Customer
from daylily.entrypoints.http.app import create_asgi

READS = b"@read-1\nACGT\n+\nIIII\n"


def service() -> App:
    """Return use cases in memory, with files from which the examples of the document can be made."""
    settings = Settings(store="memory", engine="memory", rate_limit=0, max_concurrent=50)
    world = evolve(connect(settings), compute=InMemoryCompute(utc_now, timedelta(seconds=1)))
    app = bootstrap(settings, world=world)
    world.customers.add(Customer(customer_id="acme", name="acme"))
    for name in ("a_R1.fastq.gz", "a_R2.fastq.gz"):
        world.objects.put(f"files/local/run7/{name}", READS)
    return app


def main() -> None:
    """Serve on a free port, and print it."""
    import uvicorn

    app = service()

    def monitor() -> None:
        while True:
            app.cycle()
            time.sleep(0.5)

    threading.Thread(target=monitor, daemon=True).start()
    # Only of a socket that says it is TCP does asyncio switch off what holds small answers back 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)  # so that whoever reads the port can call, and waits until we are up
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    asgi = create_asgi(app, admin_token=sys.argv[1])
    config = uvicorn.Config(asgi, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
