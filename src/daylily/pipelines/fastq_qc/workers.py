"""
Measure several samples at once, each in a process of its own.

A process for each sample, not a pool: its memory goes back when the sample is done, and one that is
killed (out of memory) costs its own sample only, where `multiprocessing.Pool` would wait for it for
ever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from attrs import define, field

from daylily.pipelines.fastq_qc.faults import Fault, Kind
from daylily.pipelines.fastq_qc.measure import Result, measure
from daylily.pipelines.fastq_qc.samples import Sample

# The parent has one thread, so a fork is safe, and it takes a millisecond; macOS cannot fork safely
# at all.
START_METHOD: Final = "fork" if sys.platform == "linux" else "spawn"

Channel = Connection
"""Carries how many reads are done, then a result."""

Told = Callable[[int, "int | Result"], None]
"""Told of sample number i: how many reads are done, and in the end its result."""


def measure_all(samples: Sequence[Sample], threads: int, told: Told) -> tuple[Result, ...]:
    """Return a result for each of *samples*, in their order, measuring up to *threads* at once."""
    if threads == 1 or len(samples) == 1:
        return tuple(_measure_here(index, sample, told) for index, sample in enumerate(samples))
    crew = _Crew(told)
    try:
        for index, sample in enumerate(samples):
            if len(crew.working) == threads:
                crew.listen()
            crew.start(index, sample)
        while crew.working:
            crew.listen()
    finally:
        crew.dismiss()
    return tuple(crew.results[index] for index in range(len(samples)))


def _measure_here(index: int, sample: Sample, told: Told) -> Result:
    result = measure(sample, lambda reads: told(index, reads))
    told(index, result)
    return result


@define
class _Crew:
    """The processes at work."""

    told: Told
    working: dict[Channel, tuple[int, Sample, BaseProcess]] = field(init=False, factory=dict)
    results: dict[int, Result] = field(init=False, factory=dict)

    def start(self, index: int, sample: Sample) -> None:
        context = multiprocessing.get_context(START_METHOD)
        ours, theirs = context.Pipe(duplex=False)
        process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_work, args=(sample, theirs, os.getpid()), daemon=True
        )
        process.start()
        theirs.close()
        self.working[ours] = (index, sample, process)

    def listen(self) -> None:
        """Wait until at least one process is done."""
        before = len(self.working)
        while len(self.working) == before:
            for ready in wait(list(self.working)):
                assert isinstance(ready, Connection)  # noqa: S101
                self._hear(ready)

    def _hear(self, connection: Channel) -> None:
        index, sample, process = self.working[connection]
        try:
            message: int | Result = connection.recv()
        except EOFError:
            process.join()
            code = process.exitcode or 0
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            hint = "; was the memory enough?" if code == -signal.SIGKILL else ""
            fault = Fault(Kind.CRASHED, f"the process measuring it ended with {how}{hint}")
            message = Result(sample.sample_id, sample.paired, len(sample.lanes), fault=fault)
        if isinstance(message, Result):
            self.results[index] = message
            del self.working[connection]
            connection.close()
            # Before anybody is told: whoever hears of a sample finds its process gone.
            process.join()
        self.told(index, message)

    def dismiss(self) -> None:
        """Leave no process behind, not even a dead one."""
        for _, _, process in self.working.values():
            process.kill()
        for connection, (_, _, process) in self.working.items():
            process.join()
            connection.close()
        self.working.clear()


def _work(sample: Sample, results: Channel, parent: int) -> None:
    """Run in the child: measure *sample*, unless the parent goes first."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which then ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if os.getppid() == parent:
        results.send(measure(sample, results.send))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
