"""Which failures are tried again, and after how long."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.retry import INFRASTRUCTURE, ErrorCategory, Failure, RetryPolicy, category_of

POLICY = RetryPolicy()


@pytest.mark.parametrize(("used", "seconds"), [(0, 2), (1, 4), (2, 8), (3, 16), (10, 2048), (11, 3600)])
def test_delays_double_up_to_the_ceiling(used: int, seconds: int) -> None:
    """Contract 3.7 as documented: 2, 4, 8 ... seconds, an hour at most; jitter takes half at most."""
    assert POLICY.delay(used, 1.0) == timedelta(seconds=seconds)
    assert POLICY.delay(used, 0.0) == timedelta(seconds=seconds) / 2


@given(st.integers(0, 10**6), st.floats(0, 1), st.timedeltas(timedelta(), timedelta(hours=1)))
def test_delay_stays_in_bounds(used: int, jitter: float, base: timedelta) -> None:
    """However many retries there were, the wait is between half and all of the back-off."""
    policy = RetryPolicy(base=base)
    full = min(base * 2 ** min(used, 30), policy.ceiling)

    # Halves of odd microseconds are rounded.
    rounding = timedelta(microseconds=1)
    assert full / 2 - rounding <= policy.delay(used, jitter) <= full + rounding


@pytest.mark.parametrize("category", ErrorCategory)
@pytest.mark.parametrize(
    ("used", "most", "left"), [(0, 0, False), (0, 1, True), (1, 1, False), (2, 3, True)]
)
def test_retries_by_category_and_count(
    category: ErrorCategory, used: int, most: int, *, left: bool
) -> None:
    """Transient failures and those for want of resources, while retries are left; no others."""
    again = category in {ErrorCategory.TRANSIENT, ErrorCategory.RESOURCE}

    assert POLICY.retries(Failure(category, "why"), used, most) is (again and left)


@pytest.mark.parametrize(
    ("exit_code", "category"),
    [
        (None, ErrorCategory.TRANSIENT),  # lost by the engine
        (1, ErrorCategory.PERMANENT),
        (2, ErrorCategory.PERMANENT),
        (64, ErrorCategory.CONFIGURATION),
        (65, ErrorCategory.DATA),
        (66, ErrorCategory.DATA),
        (69, ErrorCategory.TRANSIENT),
        (71, ErrorCategory.TRANSIENT),
        (74, ErrorCategory.TRANSIENT),
        (75, ErrorCategory.TRANSIENT),
        (78, ErrorCategory.CONFIGURATION),
        (126, ErrorCategory.CONFIGURATION),
        (127, ErrorCategory.CONFIGURATION),
        (137, ErrorCategory.RESOURCE),
        (INFRASTRUCTURE, ErrorCategory.TRANSIENT),
        (143, ErrorCategory.PERMANENT),
        (-9, ErrorCategory.PERMANENT),
    ],
)
def test_category_of_exit_codes(exit_code: int | None, category: ErrorCategory) -> None:
    """sysexits.h and the shell's codes are understood; what says nothing is not tried again."""
    assert category_of(exit_code) is category
