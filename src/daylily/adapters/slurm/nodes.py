"""
What nodes there are, read off ``sinfo``.

Slurm says of a job "Requested node configuration is not available" where no node is made for it, and
also where those that are made for it are down, drained, or not heard of since its controller started.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen

from daylily.adapters.slurm.answers import NO_NODE
from daylily.adapters.slurm.runner import Finished, Runner
from daylily.domain.errors import UnavailableError
from daylily.domain.pipelines import Resources

SINFO_FORMAT: Final = "%P|%T|%c|%m"

_THERE: Final = frozenset({"idle", "mixed", "allocated", "completing", "planned", "reserved"})
_MARKS: Final = "~#%!@^-+$"
"""What ``sinfo`` adds to a state, where the node yet counts: it saves power, or is being started."""


@frozen
class Node:
    """One node of a partition; one that is in two partitions is told twice."""

    partition: str
    is_default: bool
    """Whether it is the partition of jobs that name none."""
    is_there: bool
    """Whether jobs can be placed on it now, or once it has been started."""
    cpus: int
    megabytes: int


def read_sinfo(output: str) -> Iterator[Node]:
    """Yield the nodes of ``sinfo -h -N -o`` with our format; lines that are no node are passed over."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 4 and all(cell.rstrip("+").isdigit() for cell in cells[2:]):
            partition, state, cpus, megabytes = cells
            yield Node(
                partition=partition.removesuffix("*"),
                is_default=partition.endswith("*"),
                is_there=state.rstrip(_MARKS) in _THERE,
                cpus=int(cpus.rstrip("+")),
                megabytes=int(megabytes.rstrip("+")),
            )


def partitions_of(options: Sequence[str]) -> frozenset[str]:
    """Return the partitions that words for sbatch name; none where they leave it to the default."""
    named = ""
    for index, word in enumerate(options):
        name, equals, value = word.partition("=")
        if name == "--partition":
            named = value if equals else "".join(options[index + 1 : index + 2])
        elif word.startswith("-p"):
            named = word[2:] or "".join(options[index + 1 : index + 2])
    return frozenset(filter(None, named.split(",")))


def one_is_away(
    nodes: Iterable[Node], partitions: Collection[str], *, cpus: int, megabytes: int
) -> bool:
    """Tell whether a node on which a job could run is one that cannot be had just now."""
    return any(
        node.cpus >= cpus and node.megabytes >= megabytes and not node.is_there
        for node in nodes
        if (node.partition in partitions if partitions else node.is_default)
    )


def megabytes(needs: Resources) -> int:
    """Return what memory Slurm is asked for."""
    return math.ceil(needs.memory_gb * 1024)


def tried_out(runner: Runner, request: Sequence[str], needs: Resources) -> Finished:
    """
    Return what sbatch says of a job that it is not to run, but for refusals that will pass.

    A job that could run on nodes that are away may well wait for them in the queue.

    Args:
        request: Words for sbatch.

    Raises:
        UnavailableError: Slurm does not answer.
    """
    for _ in range(2):  # they may have come back between two questions
        found = runner.run(["sbatch", "--test-only", *request], given=b"#!/bin/sh\n")
        if NO_NODE not in found.complaint:
            break
        told = runner.run(["sinfo", "-h", "-N", "-o", SINFO_FORMAT])
        if told.code:
            raise UnavailableError(f"Slurm does not tell of its nodes: {told.complaint.strip()[-500:]}")
        nodes = read_sinfo(told.output.decode(errors="replace"))
        wanted = {"cpus": needs.cpus, "megabytes": megabytes(needs)}
        if one_is_away(nodes, partitions_of(request), **wanted):
            return Finished(0, b"", "")
    return found
