"""How a service is told to stop."""

import os
import signal
import threading

import pytest
from attrs import define

from daylily.entrypoints import service
from daylily.entrypoints.service import stopped_by_signals


@define
class Time:
    """A clock that is wound by hand."""

    now: float = 100.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class ExitedError(Exception):
    """The process would be gone."""


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Return the clock of the service, which cannot end the process either."""

    def gone(code: int) -> None:
        raise ExitedError(code)

    monkeypatch.setattr(service, "time", clock := Time())
    monkeypatch.setattr(os, "_exit", gone)
    return clock


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_is_sent_twice(time: Time, number: signal.Signals) -> None:
    """As ``timeout`` sends it: the service stops in good order, and takes its sign of life away."""
    stop = threading.Event()
    with stopped_by_signals(stop):
        signal.raise_signal(number)
        time.now += 0.01
        signal.raise_signal(number)
        assert stop.is_set()


def test_somebody_is_impatient(time: Time) -> None:
    """A second signal ends the process at once, with the code that shells know."""
    with stopped_by_signals(threading.Event()):
        signal.raise_signal(signal.SIGINT)
        time.now += 1.0
        with pytest.raises(ExitedError, match="130"):
            signal.raise_signal(signal.SIGINT)
