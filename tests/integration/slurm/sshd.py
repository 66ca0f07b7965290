"""A real sshd on loopback, from which a cluster is reached, in a directory that is thrown away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from tests.integration.ports import free_port
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.slurm.runner import SSHRunner

SSHD = "/usr/sbin/sshd"

_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {home}/host_key
PidFile {home}/sshd.pid
AuthorizedKeysFile {home}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
SetEnv SLURM_CONF={slurm}/slurm.conf
"""


@frozen
class Server:
    """A running sshd."""

    home: Path
    port: int

    def runner(self) -> SSHRunner:
        """Return a runner that knows the server's key, and has one that the server knows."""
        return SSHRunner(
            host="127.0.0.1",
            user="root",
            port=self.port,
            identity=self.home / "key",
            known_hosts=self.home / "known_hosts",
        )


@contextlib.contextmanager
def sshd(slurm: Cluster) -> Iterator[Server]:
    """Run an sshd from which the cluster is reached."""
    if not Path(SSHD).exists():
        if os.environ.get("CI"):
            pytest.fail("needs Debian's openssh-server (`make engines`)")
        pytest.skip("needs Debian's openssh-server (`make engines`)")
    home = Path(tempfile.mkdtemp(prefix="sshd-"))
    port = free_port()
    for name in ("host_key", "key"):
        subprocess.run(
            ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True
        )
    (home / "authorized_keys").write_text((home / "key.pub").read_text())
    host_key = (home / "host_key.pub").read_text()
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (home / "sshd_config").write_text(_CONFIG.format(port=port, home=home, slurm=slurm.home))
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks itself in
    daemon = subprocess.Popen([SSHD, "-D", "-q", "-f", str(home / "sshd_config")])
    try:
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < end
            time.sleep(0.02)
        yield Server(home, port)
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(home)
