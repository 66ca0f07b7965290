"""
Fleets under as many schedules as there is time for: ``python -m benchmarks.soak`` (``make soak``).

Each schedule is drawn from its number alone. One that breaks a rule is made as short as it can be, and
told with its number, its cast and every step; the exit code is then 1.
"""

import argparse
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from random import Random

from attrs import evolve, frozen
from tests.unit.application.fleet import Cast, Fleet, random_cast
from tests.unit.application.test_all_interleavings import BEGINNINGS, MORE, explored

from daylily.testing.scripts import Happening, random_happenings

CHUNK = 250


@frozen
class Broken:
    """A schedule under which something does not hold, made short."""

    number: int
    story: str


def fault_of(cast: Cast, happenings: Mapping[int, Happening]) -> str | None:
    """Return what does not hold in a play; None if all does."""
    try:
        Fleet(cast, happenings).perform()
    except AssertionError as error:
        return str(error)
    return None


def shorter(cast: Cast, happenings: Mapping[int, Happening]) -> str:
    """Return the story of the shortest play to be found that still breaks a rule."""
    while True:
        for less_cast, less in _less(cast, happenings):
            if fault_of(less_cast, less):
                cast, happenings = less_cast, less
                break
        else:
            return fault_of(cast, happenings) or "no two runs of it are the same"


def _less(
    cast: Cast, happenings: Mapping[int, Happening]
) -> Iterator[tuple[Cast, Mapping[int, Happening]]]:
    for number in happenings:
        yield cast, {each: what for each, what in happenings.items() if each != number}
    for name in ("people", "edits", "exits"):
        listed = getattr(cast, name)
        for position in range(len(listed)):
            yield evolve(cast, **{name: listed[:position] + listed[position + 1 :]}), happenings
    for name, least in (("monitors", 1), ("cycles", 1), ("submitted", 1), ("dropped", 0), ("old", 0)):
        if getattr(cast, name) > least:
            yield evolve(cast, **{name: getattr(cast, name) - 1}), happenings


def run(numbers: range) -> list[Broken]:
    """Play some schedules, and return those that break a rule."""
    logging.disable(logging.CRITICAL)
    broken = []
    for number in numbers:
        chance = Random(number)  # noqa: S311 - to be the same each time
        cast, happenings = random_cast(chance), random_happenings(chance)
        if fault_of(cast, happenings):
            broken.append(Broken(number, shorter(cast, happenings)))
    return broken


def main(arguments: list[str] | None = None) -> int:
    """Play so many schedules on all processors; tell how fast, and what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("schedules", nargs="?", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0, help="Number of the first schedule.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    last = given.first + given.schedules
    chunks = [range(n, min(n + CHUNK, last)) for n in range(given.first, last, CHUNK)]
    began, done, found = time.monotonic(), 0, 0
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with ProcessPoolExecutor(given.workers) as pool:
        for chunk, broken in zip(chunks, pool.map(run, chunks), strict=True):
            done, found = done + len(chunk), found + len(broken)
            for each in broken:
                print(f"schedule {each.number}: {each.story}\n", flush=True)
            speed = done / (time.monotonic() - began)
            print(f"{done} schedules, {speed:.1f} a second, {found} broken", flush=True)
    for beginning in (*BEGINNINGS, *MORE):
        began = time.monotonic()
        print(f"two monitors, a workset that {beginning.__name__}: ", end="", flush=True)
        print(f"{explored(beginning)}, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
