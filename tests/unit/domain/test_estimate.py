"""What a workset will cost: contract 5.1, with priority charged once."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.errors import InvalidInputError
from daylily.domain.estimate import Estimate, RateCard, estimate
from daylily.domain.lifecycle import Priority

HOURS: Final = {"germline": 4.0, "somatic": 8.0, "rnaseq": 2.0, "wgs": 12.0, "wes": 3.0}


def of(pipeline: str = "germline", samples: int = 1, **more: object) -> Estimate:
    return estimate(
        pipeline=pipeline,
        vcpu_hours_per_sample=HOURS[pipeline],
        sample_count=samples,
        **more,  # type: ignore[arg-type]
    )


def test_the_guides_own_example() -> None:
    """Row 1, the guide's curl: 13.04 in parts of 0.60, 1.44, 8.75 and 2.25; 20 vCPU-hours."""
    result = of("germline", 5)

    assert result.total_usd == Decimal("13.04")
    assert (result.compute_usd, result.storage_usd, result.fsx_usd, result.transfer_usd) == (
        Decimal("0.60"),
        Decimal("1.44"),
        Decimal("8.75"),
        Decimal("2.25"),
    )
    assert (result.vcpu_hours, result.duration_hours, result.data_size_gb) == (20.0, 1.25, 250.0)


@pytest.mark.parametrize(
    ("result", "compute", "kept", "transfer", "hours", "gb"),
    [
        (of("germline"), "0.12", "2.04", "0.45", 4, 50),
        # Rows 3 and 4 without the second charge for priority: 5.12 / 2.0 and 1.08 / 0.6
        (of("somatic", 2, coverage=60, priority=Priority.URGENT), "2.56", "4.08", "0.90", 32, 100),
        (of("wgs", 10, priority=Priority.LOW), "1.80", "20.38", "4.50", 120, 500),
        (of("rnaseq", 24, coverage=15, data_size_gb=100), "0.72", "4.08", "0.90", 24, 100),
        (of("wes", 3, coverage=100), "0.90", "6.11", "1.35", 30, 150),
        (of("wgs", 1, coverage=0, data_size_gb=10), "0.00", "0.41", "0.09", 0, 10),
        (of("germline", 0), "0.00", "0.00", "0.00", 0, 0),
    ],
)
def test_rows_of_the_contract(
    result: Estimate, compute: str, kept: str, transfer: str, hours: float, gb: float
) -> None:
    """Rows 2 to 9 of contract 5.1; storage and FSx are each rounded, so their sum may be a cent off."""
    assert result.compute_usd == Decimal(compute)
    assert abs(result.storage_usd + result.fsx_usd - Decimal(kept)) <= Decimal("0.01")
    assert result.transfer_usd == Decimal(transfer)
    assert (result.vcpu_hours, result.data_size_gb) == (hours, gb)


@given(
    st.integers(0, 100_000),
    st.floats(0, 10_000),
    st.sampled_from(Priority),
    st.floats(0, 10_000_000),
    st.floats(0, 100),
)
def test_parts_add_up(
    samples: int, coverage: float, priority: Priority, size: float, hours: float
) -> None:
    """Whatever is asked, the parts add up to the total to the cent, and none is negative."""
    result = estimate(
        pipeline="wgs",
        vcpu_hours_per_sample=hours,
        sample_count=samples,
        coverage=coverage,
        priority=priority,
        data_size_gb=size,
    )
    parts = (result.compute_usd, result.storage_usd, result.fsx_usd, result.transfer_usd)

    assert sum(parts) == result.total_usd
    assert all(part >= 0 and part == round(part, 2) for part in parts)


@given(st.integers(0, 1000), st.floats(0, 200))
def test_urgency_costs_more_and_data_does_not(samples: int, coverage: float) -> None:
    """Priority moves the price of computing alone."""
    low, normal, urgent = (
        of("wgs", samples, coverage=coverage, priority=priority)
        for priority in (Priority.LOW, Priority.NORMAL, Priority.URGENT)
    )

    assert low.compute_usd <= normal.compute_usd <= urgent.compute_usd
    assert low.fsx_usd == urgent.fsx_usd


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -1.0, 1e300])
def test_absurd_numbers_are_refused_all_at_once(value: float) -> None:
    """Each under the name it has on the wire; a negative count gave negative dollars once."""
    with pytest.raises(InvalidInputError) as caught:
        of("germline", value, coverage=value, data_size_gb=value)  # type: ignore[arg-type]

    assert [fault.place for fault in caught.value.faults] == [
        "sample_count",
        "estimated_coverage",
        "data_size_gb",
    ]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"samples": -5}, "sample_count"),
        ({"samples": 100_001}, "sample_count"),
        ({"samples": 10**400}, "sample_count"),
        ({"coverage": 10_000.5}, "estimated_coverage"),
        ({"data_size_gb": 10_000_001}, "data_size_gb"),
    ],
)
def test_bounds(arguments: dict[str, float], place: str) -> None:
    """One past each bound is refused, and the bound is named."""
    with pytest.raises(InvalidInputError, match=f"^{place}: .*is not a number from 0 to "):
        of("germline", **arguments)  # type: ignore[arg-type]


def test_rates_are_the_installations() -> None:
    """A rate card of one's own replaces every price."""
    rates = RateCard(
        vcpu_hour=dict.fromkeys(Priority, Decimal(1)),
        storage_gb_month=Decimal(0),
        fsx_gb_month=Decimal(0),
        transfer_gb=Decimal(0),
        vcpus=4,
    )
    result = of("germline", 5, rates=rates)

    assert (result.total_usd, result.duration_hours) == (Decimal("20.00"), 5.0)
