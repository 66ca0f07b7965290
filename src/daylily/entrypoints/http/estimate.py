"""What a workset will cost; open to all, as the guide's ``curl`` has it."""

from typing import Any

from litestar import Request, post
from litestar.params import RawBody

from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import reference_genome
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.requests import Fields, json_object
from daylily.entrypoints.http.submission import of_wire
from daylily.entrypoints.http.wiring import UseCases
from daylily.entrypoints.views import EstimateView


@post(
    "/api/estimate-cost",
    status_code=200,
    sync_to_thread=True,
    **described(
        "estimateCost",
        "estimate",
        body=parameters.ESTIMATE,
        example=examples.ESTIMATE,
        public=True,
    ),
)
def estimate_cost(
    request: Request[Any, Any, Any], body: RawBody, app: UseCases
) -> Answer[EstimateView]:
    """Estimate the cost of a workset, in USD."""
    fields = Fields(json_object(request, body))
    pipeline = fields.required("pipeline_type")
    genome = fields.optional("reference_genome")
    samples = fields.whole("sample_count", 1)
    coverage = fields.number("estimated_coverage", 30.0)
    priority = fields.optional("priority") or "normal"
    size = fields.number("data_size_gb", 0.0)
    fields.refuse_others()
    try:
        if genome is not None:
            reference_genome(genome)
    except InvalidInputError as error:
        fields.faults += error.faults
    try:
        made = app.estimate(
            pipeline,
            sample_count=1 if samples is None else samples,
            coverage=30.0 if coverage is None else coverage,
            priority=priority,
            data_size_gb=size or 0.0,
        )
    except InvalidInputError as error:
        fields.also(map(of_wire, error.faults))
        raise InvalidInputError(fields.faults) from None
    fields.raise_faults()
    return Answer(EstimateView.of(made))
