"""Say what a workset will cost, before it is submitted."""

from attrs import frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.estimate import Estimate, RateCard, estimate
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import Manifest
from daylily.domain.pipelines import Pipeline, PipelineRegistry


@frozen
class EstimateCost:
    """The estimator behind the API, the portal and the command line."""

    pipelines: PipelineRegistry
    rates: RateCard

    def __call__(
        self,
        pipeline: str,
        *,
        sample_count: int = 1,
        coverage: float = 30.0,
        priority: str = "normal",
        data_size_gb: float = 0.0,
    ) -> Estimate:
        """
        Return what a workset of *sample_count* samples is likely to cost.

        Raises:
            InvalidInputError: Unknown pipeline or priority, negative or absurd numbers; every fault.
        """
        faults: list[Fault] = []
        # Stand-ins, so that the numbers are looked at whatever is wrong with the words.
        found, urgency = Pipeline(name="unknown"), Priority.NORMAL
        try:
            found = self.pipelines.get(pipeline)
        except InvalidInputError as error:
            faults += error.faults
        try:
            urgency = Priority(priority)
        except ValueError:
            known = ", ".join(Priority)
            faults.append(Fault("priority", f"{priority[:40]!r} is not one of {known}"))
        try:
            made = estimate(
                pipeline=found.name,
                vcpu_hours_per_sample=found.vcpu_hours_per_sample,
                sample_count=sample_count,
                coverage=coverage,
                priority=urgency,
                data_size_gb=data_size_gb,
                rates=self.rates,
            )
        except InvalidInputError as error:
            raise InvalidInputError([*faults, *error.faults]) from None
        if faults:
            raise InvalidInputError(faults)
        return made

    def of(self, manifest: Manifest, priority: Priority) -> Estimate | None:
        """Return what a workset is likely to cost; None where it is not known what is to be run."""
        if not manifest.samples:
            return None
        told = [each.coverage for each in manifest.samples if each.coverage is not None]
        try:
            return self(
                manifest.pipeline,
                sample_count=len(manifest.samples),
                coverage=sum(told) / len(told) if told else 30.0,
                priority=str(priority),
            )
        except InvalidInputError:
            return None
