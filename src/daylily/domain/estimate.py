"""What a workset will cost: the one estimator of API, portal, command line and validation."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from attrs import field, frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.lifecycle import Priority

_CENT: Final = Decimal("0.01")


def _vcpu_hour_prices() -> Mapping[Priority, Decimal]:
    return {
        Priority.URGENT: Decimal("0.08"),
        Priority.NORMAL: Decimal("0.03"),
        Priority.LOW: Decimal("0.015"),
    }


@frozen(kw_only=True)
class RateCard:
    """Prices in USD; the defaults are those of contract 5.1."""

    vcpu_hour: Mapping[Priority, Decimal] = field(factory=_vcpu_hour_prices)
    storage_gb_month: Decimal = Decimal("0.023")
    fsx_gb_month: Decimal = Decimal("0.14")
    transfer_gb: Decimal = Decimal("0.09")
    """Out to the internet."""
    cross_region_gb: Decimal = Decimal("0.02")
    """To another region."""
    months_kept: Decimal = Decimal("0.25")
    share_transferred: Decimal = Decimal("0.10")
    gb_per_sample: Decimal = Decimal(50)
    vcpus: int = 16
    """vCPUs that work on one workset at a time; turns vCPU-hours into hours."""


@frozen(kw_only=True)
class Estimate:
    """Cost in USD, each part rounded to the cent, so that the parts add up to the total."""

    pipeline: str
    sample_count: int
    priority: Priority
    vcpu_hours: float
    duration_hours: float
    data_size_gb: float
    compute_usd: Decimal
    storage_usd: Decimal
    fsx_usd: Decimal
    transfer_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        """The sum of the parts."""
        return self.compute_usd + self.storage_usd + self.fsx_usd + self.transfer_usd


def estimate(
    *,
    pipeline: str,
    vcpu_hours_per_sample: float,
    sample_count: int = 1,
    coverage: float = 30.0,
    priority: Priority = Priority.NORMAL,
    data_size_gb: float = 0.0,
    rates: RateCard | None = None,
) -> Estimate:
    """
    Return what a workset is likely to cost.

    ``vcpu_hours = vcpu_hours_per_sample * sample_count * coverage / 30`` and the sums of contract
    5.1, with one difference: priority is charged once, in the price of a vCPU-hour.

    Args:
        vcpu_hours_per_sample: The pipeline's, at 30x.
        sample_count: From 0 to 100000.
        coverage: Mean depth (x), from 0 to 10000.
        data_size_gb: Size of the input; 0 takes ``gb_per_sample`` for each sample.

    Raises:
        InvalidInputError: A number is negative, not finite or absurd; all faults at once.
    """
    rates = rates or RateCard()
    bounds = (
        ("sample_count", sample_count, 100_000),
        ("estimated_coverage", coverage, 10_000),
        ("data_size_gb", data_size_gb, 10_000_000),
    )
    # "not (0 <= x)" rather than "x < 0": it also catches a NaN
    faults = [
        Fault(name, f"{value} is not a number from 0 to {most}")
        for name, value, most in bounds
        if not 0 <= value <= most
    ]
    if faults:
        raise InvalidInputError(faults)
    hours = vcpu_hours_per_sample * sample_count * coverage / 30
    data = Decimal(str(data_size_gb)) if data_size_gb else rates.gb_per_sample * sample_count
    return Estimate(
        pipeline=pipeline,
        sample_count=sample_count,
        priority=priority,
        vcpu_hours=hours,
        duration_hours=hours / rates.vcpus,
        data_size_gb=float(data),
        compute_usd=_cents(Decimal(str(hours)) * rates.vcpu_hour[priority]),
        storage_usd=_cents(data * rates.storage_gb_month * rates.months_kept),
        fsx_usd=_cents(data * rates.fsx_gb_month * rates.months_kept),
        transfer_usd=_cents(data * rates.share_transferred * rates.transfer_gb),
    )


# What is known afterwards


def cost_of_run(vcpu_hours: float, price: Decimal) -> Decimal:
    """
    Return what vCPUs have cost.

    >>> cost_of_run(20, RateCard().vcpu_hour[Priority.NORMAL])
    Decimal('0.60')
    """
    return _cents(Decimal(str(vcpu_hours)) * price)


def cost_of_a_day(size: int, rates: RateCard) -> Decimal:
    """
    Return what it costs to keep that many bytes for a day, of which a month has 30.

    >>> cost_of_a_day(1000 << 30, RateCard())
    Decimal('0.77')
    """
    return _cents(_gb(size) * rates.storage_gb_month / 30)


def cost_of_transfer(size: int, rates: RateCard) -> tuple[Decimal, Decimal]:
    """
    Return what it costs to send that many bytes: to another region, and to the internet.

    >>> cost_of_transfer(100 << 30, RateCard())
    (Decimal('2.00'), Decimal('9.00'))
    """
    return _cents(_gb(size) * rates.cross_region_gb), _cents(_gb(size) * rates.transfer_gb)


def _gb(size: int) -> Decimal:
    # What AWS bills as a GB is 2^30 bytes.
    return Decimal(size) / (1 << 30)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_EVEN)
