"""SlurmCompute from afar: commands over a real sshd on loopback, whose key is known."""

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
from attrs import evolve, frozen
from tests.integration.slurm.bench import SlurmBench
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.runner import SSHRunner
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.ports.compute import Phase
from daylily.testing.contracts.compute import KEY, await_end

pytestmark = pytest.mark.slurm

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


@pytest.fixture(scope="module")
def server(slurm: Cluster) -> Iterator[Server]:
    """Return a running sshd, from which the cluster is reached."""
    if not Path(SSHD).exists():
        if os.environ.get("CI"):
            pytest.fail("needs Debian's openssh-server (`make engines`)")
        pytest.skip("needs Debian's openssh-server (`make engines`)")
    home = Path(tempfile.mkdtemp(prefix="sshd-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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


@pytest.fixture
def far(engine: SlurmCompute, server: Server) -> SlurmCompute:
    """Return an engine whose commands go over ssh."""
    return evolve(engine, runner=server.runner())


def test_a_job_over_ssh(far: SlurmCompute, slurm: Cluster, tmp_path: Path) -> None:
    """It is submitted, watched and read over the wire, exactly as it is at home."""
    bench = SlurmBench(far, slurm, tmp_path)
    text = "  $(date) `id` \"quoted\" 'single' \\n *\nsecond line: \u00e9\u4eba\U0001f9ec"

    number = far.submit(bench.fails(KEY, 3, says=text))

    assert far.submit(bench.succeeds(KEY)) == number
    status = await_end(far, KEY, bench)
    assert (status.phase, status.exit_code) == (Phase.FAILED, 3)
    assert far.log(KEY).text == text
    far.cancel("ws-2/1")
    assert far.status(["ws-2/1"])["ws-2/1"].phase is Phase.CANCELED


def test_host_that_is_not_known(engine: SlurmCompute, server: Server) -> None:
    """A host whose key is another than the known one is not spoken to: nobody can step between."""
    strangers = server.home / "strangers"
    strangers.write_text("")
    runner = evolve(server.runner(), known_hosts=strangers)

    with pytest.raises(UnavailableError, match="Host key verification failed"):
        evolve(engine, runner=runner).status([KEY])


def test_host_that_is_down(engine: SlurmCompute, server: Server) -> None:
    """A host that does not answer is an outage, not a job that is gone."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        runner = evolve(server.runner(), port=closed.getsockname()[1])

        with pytest.raises(UnavailableError, match="ssh to root@"):
            evolve(engine, runner=runner).status([KEY])


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/x", "a b", "me@there"])
def test_no_option_for_a_host(host: str) -> None:
    """What ssh would take for an option, or for more than a host, is refused."""
    with pytest.raises(InvalidInputError):
        SSHRunner(host=host)
