"""Many threads at once, for rules that say "exactly one"."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from daylily.domain.errors import DaylilyError

T = TypeVar("T")

RUNNERS = 32
_OFTEN: Final = 1e-4
"""
Seconds after which one thread gives way to another. By the interpreter's own 5 ms most calls would be
over before the next thread begins, and what is not one step would pass for one.
"""


def race(call: Callable[[int], T], runners: int = RUNNERS) -> list[T | DaylilyError]:
    """
    Call *call* with 0, 1, 2 ... from as many threads, all let go at the same instant.

    Returns:
        What each call returned, or the DaylilyError it raised. Any other error is raised here.
    """
    start = threading.Barrier(runners)

    def run(runner: int) -> T | DaylilyError:
        start.wait()
        try:
            return call(runner)
        except DaylilyError as error:
            return error

    usual = sys.getswitchinterval()
    sys.setswitchinterval(_OFTEN)
    try:
        with ThreadPoolExecutor(runners) as pool:
            return list(pool.map(run, range(runners)))
    finally:
        sys.setswitchinterval(usual)
