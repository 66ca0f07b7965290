"""What ``sinfo`` prints, of Slurm 22.05 and of ParallelCluster, and what follows for refused jobs."""

from collections.abc import Collection

import pytest

from daylily.adapters.slurm.nodes import one_is_large_enough, partitions_of, read_sinfo

CLUSTER = """\
main*|8|16000
main*|64|250000
big|96|770000
"""


@pytest.mark.parametrize(
    ("partitions", "cpus", "megabytes", "fits"),
    [
        ((), 64, 250_000, True),
        ((), 65, 1, False),
        ((), 1, 250_001, False),
        ({"main"}, 8, 16_000, True),
        ({"main"}, 96, 1, False),
        ({"big"}, 96, 770_000, True),
        ({"main", "big"}, 96, 770_000, True),
        ({"other"}, 1, 1, False),
    ],
)
def test_room(partitions: Collection[str], cpus: int, megabytes: int, fits: bool) -> None:
    """A job has room on a node of its partition that is large enough, in whatever state that is."""
    nodes = read_sinfo(CLUSTER)
    assert one_is_large_enough(nodes, partitions, cpus=cpus, megabytes=megabytes) is fits


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
    assert list(read_sinfo("Welcome | to the | cluster\nmain|2\n\n")) == []
