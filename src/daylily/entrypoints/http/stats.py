"""Figures: of the queue, of the scheduler, of a customer, and of all for Prometheus."""

from typing import Final

from litestar import Response, get
from litestar.params import FromPath
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from daylily.application.show_fleet import COUNTED
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.lifecycle import State
from daylily.entrypoints.http import examples, parameters
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.core import operators_only
from daylily.entrypoints.http.describing import described
from daylily.entrypoints.http.requests import count, query
from daylily.entrypoints.http.traffic import TrafficCollector
from daylily.entrypoints.http.wiring import Call, Listening, UseCases, Who
from daylily.entrypoints.metrics import CallsCollector, DeadNoticesCollector, QueueCollector
from daylily.entrypoints.views import QueueView, SchedulerView, UsageView
from daylily.ports.paging import every
from daylily.ports.state_store import Filter


@get(
    "/queue/stats",
    sync_to_thread=True,
    **described("getQueueStats", "operators", example=examples.QUEUE),
)
def queue_stats(app: UseCases, who: Who) -> Answer[QueueView]:
    """Count the worksets that are not over, by state."""
    operators_only(who)
    return Answer(QueueView.of({state: app.world.store.count([state]) for state in COUNTED}))


@get(
    "/scheduler/stats",
    sync_to_thread=True,
    **described("getSchedulerStats", "operators", example=examples.SCHEDULER),
)
def scheduler_stats(app: UseCases, who: Who) -> Answer[SchedulerView]:
    """Tell what clusters can take, and what they have to do; without clusters it is one of its own."""
    operators_only(who)
    return Answer(_scheduler(app))


def _scheduler(app: App) -> SchedulerView:
    where = Filter(states=frozenset({State.IN_PROGRESS}))
    running = list(every(lambda c: app.world.store.list(where, cursor=c, limit=1000)))
    room = app.explain.room(running)
    bounded = {each: load for each, load in room.loads.items() if each.max_vcpus is not None}
    capacity = sum(each.max_vcpus or 0 for each in bounded)
    used = sum(load.vcpus for load in bounded.values())
    return SchedulerView(
        total_clusters=len(room.loads) or 1,
        total_vcpu_capacity=capacity,
        total_vcpus_used=used,
        vcpu_utilization_percent=round(100 * used / capacity, 1) if capacity else 0.0,
        total_active_worksets=room.running,
        queue_depth=app.world.store.count([State.READY]),
    )


@get(
    "/api/customers/{cid:str}/usage",
    sync_to_thread=True,
    **described("getUsage", "customers", parameters=(parameters.MONTHS,), example=examples.USAGE),
)
def usage(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[UsageView]:
    """Tell what a customer uses: storage, worksets, and their cost, by month."""
    return _usage(request, cid, app, who)


@get(
    "/customers/{cid:str}/usage",
    sync_to_thread=True,
    **described(
        "getUsageAsOfOld", "customers", parameters=(parameters.MONTHS,), example=examples.USAGE
    ),
)
def usage_as_of_old(request: Call, cid: FromPath[str], app: UseCases, who: Who) -> Answer[UsageView]:
    """Tell what a customer uses, at the address of old."""
    return _usage(request, cid, app, who)


def _usage(request: Call, cid: str, app: App, who: Principal) -> Answer[UsageView]:
    fields = query(request)
    months = count(fields, "months", least=1, most=36, default=12) or 12
    fields.refuse_others()
    fields.raise_faults()
    return Answer(UsageView.of(app.usage(who, cid, months=months)))


@get(
    "/metrics",
    sync_to_thread=True,
    **described("getMetrics", "operators", media_type="text/plain"),
)
def metrics(request: Call, app: UseCases, who: Who, streams: Listening) -> Response[bytes]:
    """Return figures of the service and its queue for Prometheus, which sends a token for them."""
    operators_only(who)
    registry = CollectorRegistry()
    registry.register(QueueCollector(lambda: app.world))
    registry.register(DeadNoticesCollector(app.redeliver))
    registry.register(CallsCollector())
    registry.register(TrafficCollector(request.app.state["traffic"], streams))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


STATS: Final = (queue_stats, scheduler_stats, usage, usage_as_of_old, metrics)
