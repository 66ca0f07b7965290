"""
What nodes there are, read off ``sinfo``.

Slurm says of a job "Requested node configuration is not available" where no node is made for it, and
also where those that are made for it are down, drained, or not heard of since its controller started;
and nothing that ``sinfo`` tells of their states is sure to give that away.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from attrs import frozen

from daylily.adapters.slurm.answers import NO_NODE
from daylily.adapters.slurm.runner import Finished, Runner
from daylily.domain.errors import UnavailableError
from daylily.domain.pipelines import Resources

SINFO_FORMAT: Final = "%P|%c|%m"


@frozen
class Node:
    """One node of a partition, whatever state it is in; one in two partitions is told twice."""

    partition: str
    is_default: bool
    """Whether it is the partition of jobs that name none."""
    cpus: int
    megabytes: int


def read_sinfo(output: str) -> Iterator[Node]:
    """Yield the nodes of ``sinfo -h -N -o`` with our format; lines that are no node are passed over."""
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 3 and all(cell.rstrip("+").isdigit() for cell in cells[1:]):
            partition, cpus, megabytes = cells
            yield Node(
                partition=partition.removesuffix("*"),
                is_default=partition.endswith("*"),
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


def one_is_large_enough(
    nodes: Iterable[Node], partitions: Collection[str], *, cpus: int, megabytes: int
) -> bool:
    """Tell whether there is a node on which a job has room."""
    return any(
        node.cpus >= cpus and node.megabytes >= megabytes
        for node in nodes
        if (node.partition in partitions if partitions else node.is_default)
    )


def megabytes(needs: Resources) -> int:
    """Return what memory Slurm is asked for."""
    return math.ceil(needs.memory_gb * 1024)


def tried_out(runner: Runner, request: Sequence[str], needs: Resources) -> Finished:
    """
    Return what sbatch says of a job that it is not to run, but for refusals that may pass.

    A job for which there is a node that is large enough may well wait for it in the queue.

    Args:
        request: Words for sbatch.

    Raises:
        UnavailableError: Slurm does not answer.
    """
    found = runner.run(["sbatch", "--test-only", *request], given=b"#!/bin/sh\n")
    if NO_NODE not in found.complaint:
        return found
    told = runner.run(["sinfo", "-h", "-N", "-o", SINFO_FORMAT])
    if told.code:
        raise UnavailableError(f"Slurm does not tell of its nodes: {told.complaint.strip()[-500:]}")
    nodes = read_sinfo(told.output.decode(errors="replace"))
    size = {"cpus": needs.cpus, "megabytes": megabytes(needs)}
    fits = one_is_large_enough(nodes, partitions_of(request), **size)
    return Finished(0, b"", "") if fits else found
