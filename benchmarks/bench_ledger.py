"""
What a check of the ledger costs: ``python -m benchmarks.bench_ledger [worksets]``.

A store and directories of so many worksets, 95 % of them complete with 30 files of results each, answer
page by page as S3 (1,000 keys, results as one) and DynamoDB (1 MB) do; ten differ. Counts calls,
and measures what the check itself keeps in memory. Prints one JSON object for each size, and beside its
pages those that any listing takes that S3 has: one with the results, and one without.
"""

import argparse
import json
import math
import time
import tracemalloc
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attrs import define, field

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.records import to_record
from daylily.application.check_ledger import CheckLedger
from daylily.application.engines import Engines
from daylily.domain.sentinels import Sentinel, projection
from daylily.domain.workset import Workset
from daylily.ports.paging import Page
from daylily.ports.sentinel_store import FILES, Folder, Shown
from daylily.testing.samples import NOON, a_workset, running, settled

KEYS_PER_PAGE = 1000
BYTES_PER_PAGE = 1_000_000
NAMES = len(FILES) + 2
"""Keys in each directory beside its results: our files, a FASTQ file and a sentinel."""
RESULTS = 30
DIFFER = 10


@define
class Stored:
    """Worksets, made when they are asked for, so that they take no memory of their own."""

    number: int
    calls: Counter[str] = field(factory=Counter)

    def make(self, index: int) -> Workset:
        """Return the workset of that number: one in twenty is ready."""
        workset = a_workset(f"workset-{index:08}")
        if index % 20:
            workset = running(workset).completed(at=NOON, actor="monitor-a")
        return settled(workset)

    def scan(self, *, cursor: str | None = None, limit: int = 1000) -> Page[Workset]:
        """Return a page of a megabyte."""
        self.calls["store.scan"] += 1
        start = int(cursor or 0)
        end = min(start + BYTES_PER_PAGE // len(to_record(self.make(1))), self.number)
        made = tuple(self.make(index) for index in range(start, end))
        return Page(made, str(end) if end < self.number else None)

    def get(self, workset_id: str) -> Workset:
        """Return one workset."""
        self.calls["store.get"] += 1
        return self.make(int(workset_id.rpartition("-")[2]))

    def known(self, workset_ids: Collection[str]) -> frozenset[str]:
        """Return those that are there: all."""
        self.calls["store.known"] += 1
        return frozenset(workset_ids)

    def shown(self, *, cursor: str | None = None) -> Page[Shown]:
        """Return what a page of 1,000 keys tells."""
        self.calls["objects.list"] += 1
        start = int(cursor or 0)
        end, keys = start, 0
        while end < self.number and keys < KEYS_PER_PAGE:
            keys += NAMES + (1 if end % 20 else 0)
            end += 1
        return Page(tuple(self._shown(start, end)), str(end) if end < self.number else None)

    def _shown(self, start: int, end: int) -> Iterator[Shown]:
        for index in range(start, end):
            workset = self.make(index)
            standing = projection(workset.state) if index >= DIFFER else frozenset[Sentinel]()
            yield Shown(workset_id=workset.workset_id, sentinels=standing, whole=True)

    def look(self, workset_id: str) -> Folder:
        """Return a directory from which the sentinel is gone."""
        self.calls["sentinels.look"] += 1
        return Folder(sentinels={}, names=FILES)


def measure(number: int) -> Mapping[str, Any]:
    """Check so many worksets; return what it took."""
    stored = Stored(number)
    other: Any = stored
    check = CheckLedger(
        store=other,
        sentinels=other,
        engines=Engines(InMemoryCompute(lambda: NOON)),
        clock=lambda: NOON,
    )
    tracemalloc.start()
    began = time.perf_counter()
    found = sum(1 for _ in check())
    seconds = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pages = stored.calls["store.scan"] + stored.calls["objects.list"]
    ended = number * 19 // 20
    rows = math.ceil(number * len(to_record(stored.make(1))) / BYTES_PER_PAGE)
    return {
        "worksets": number,
        "found": found,
        "calls": dict(stored.calls),
        "pages": pages,
        "pages of all keys": math.ceil((number * NAMES + ended * RESULTS) / KEYS_PER_PAGE) + rows,
        "pages with results as one": math.ceil((number * NAMES + ended) / KEYS_PER_PAGE) + rows,
        "worksets per 500": math.ceil(number / 500),
        "peak_mb": round(peak / 1e6, 1),
        "seconds, with memory traced": round(seconds, 1),
    }


def main() -> None:
    """Print what sizes cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worksets", type=int, nargs="*", default=[100, 1_000, 10_000])
    for number in parser.parse_args().worksets:
        print(json.dumps(measure(number)), flush=True)


if __name__ == "__main__":
    main()
