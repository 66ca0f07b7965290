"""What ``sinfo`` prints, of Slurm 22.05 and of ParallelCluster, and what follows for refused jobs."""

import pytest

from daylily.adapters.slurm.nodes import one_is_away, partitions_of, read_sinfo

CLUSTER = """\
main*|idle|8|16000
main*|mixed~|64|250000
big|drained*|96|770000
"""


@pytest.mark.parametrize("state", ["unknown", "unk*", "down", "down*", "drained", "draining", "fail",
                                   "idle*", "maint", "reboot"])  # fmt: skip
def test_away(state: str) -> None:
    """A node that is down, drained, or not heard of cannot be had now, and perhaps later."""
    nodes = list(read_sinfo(f"main*|{state}|2|4000\n"))
    assert one_is_away(nodes, (), cpus=2, megabytes=4000)
    assert not one_is_away(nodes, (), cpus=3, megabytes=4000)
    assert not one_is_away(nodes, (), cpus=2, megabytes=4001)


@pytest.mark.parametrize("state", ["idle", "mixed", "allocated", "completing", "idle~", "idle#",
                                   "allocated%", "planned", "mixed@"])  # fmt: skip
def test_there(state: str) -> None:
    """A node that works, saves power or is being started is there: what it refuses, it refuses."""
    assert not one_is_away(read_sinfo(f"main*|{state}|2|4000\n"), (), cpus=1, megabytes=1)


def test_partitions() -> None:
    """What is away in another partition is none of a job's concern."""
    assert not one_is_away(read_sinfo(CLUSTER), (), cpus=1, megabytes=1)
    assert one_is_away(read_sinfo(CLUSTER), {"big"}, cpus=1, megabytes=1)
    assert not one_is_away(read_sinfo(CLUSTER), {"main"}, cpus=1, megabytes=1)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), set()),
        (("--account=lab",), set()),
        (("--partition=big",), {"big"}),
        (("--partition", "big,main"), {"big", "main"}),
        (("-pbig",), {"big"}),
        (("--account", "lab", "-p", "big"), {"big"}),
        (("--partition=main", "-p", "big"), {"big"}),
        (("-p",), set()),
    ],
)
def test_named_partitions(options: tuple[str, ...], named: set[str]) -> None:
    """All the ways in which sbatch takes a partition are understood; the last one counts."""
    assert partitions_of(options) == named


def test_what_is_no_node() -> None:
    """A greeting of the login node is passed over."""
    assert list(read_sinfo("Welcome | to | the | cluster\nmain|idle|2\n\n")) == []
