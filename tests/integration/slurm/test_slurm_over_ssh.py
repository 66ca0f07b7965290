"""SlurmCompute from afar: commands over a real sshd on loopback, whose key is known."""

import socket
from pathlib import Path

import pytest
from attrs import evolve
from tests.integration.slurm.bench import SlurmBench
from tests.integration.slurm.cluster import Cluster
from tests.integration.slurm.sshd import Server

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.runner import SSHRunner
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.ports.compute import Phase
from daylily.testing.contracts.compute import KEY, await_end

pytestmark = pytest.mark.slurm


def test_a_job_over_ssh(far: SlurmCompute, slurm: Cluster, tmp_path: Path) -> None:
    """It is submitted, watched and read over the wire, exactly as it is at home."""
    bench = SlurmBench(compute=far, slurm=slurm, directory=tmp_path)
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
