"""``Idempotency-Key`` on the stores of a laptop."""

from pathlib import Path

from tests.integration.http.once import submit_fifty_times

from daylily.bootstrap import bootstrap
from daylily.config import Settings
from daylily.domain.customers import Customer


def test_fifty_at_once_on_two_servers(tmp_path: Path) -> None:
    """Two servers on one home, fifty requests with one key: one workset, and fifty times its answer."""
    apps = [bootstrap(Settings(home=tmp_path, engine="memory")) for _ in range(2)]
    apps[0].world.customers.add(Customer(customer_id="acme", name="Acme"))
    try:
        submit_fifty_times(apps)
    finally:
        for app in apps:
            app.world.close()
