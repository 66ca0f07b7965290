"""Ports on which servers of tests listen."""

import contextlib
import os
import random
import socket
import time


def free_ports(count: int) -> list[int]:
    """
    Return ports below the range from which the system takes those of outgoing connections.

    So a server that is stopped finds its port free when it is started again.
    """
    found: list[int] = []
    # By process, so that two test runs do not begin with the same ports.
    chance = random.Random(os.getpid() ^ time.monotonic_ns())  # noqa: S311
    while len(found) < count:
        port = chance.randrange(12_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]
