"""What all tests share."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# Machines that run several test processes are slow at odd moments: time says nothing there.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _patient)
settings.register_profile("fast", _patient, max_examples=15, stateful_step_count=20)


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Let tests of thousands of runs go untraced: tracing takes three times as long as they do.

    What they reach has to be covered by tests of its own, which say what is expected of it.
    """
    for item in items:
        if item.get_closest_marker("load"):
            item.add_marker("no_cover")


@pytest.hookimpl
def pytest_collection_finish() -> None:
    """Let what all tests need not be looked through for garbage over and over: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases of bytes by their argument: times inside them differ between test processes."""
    return argname if isinstance(val, bytes) else None
