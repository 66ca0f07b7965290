"""
What a page of the portal costs a browser: ``python -m benchmarks.bench_portal [worksets]``.

The first page of a list of 10,000 worksets, and the dashboard above it, in Debian's Chromium with
nothing kept from before: bytes over the wire, shifts of the layout (CLS) while it loads and after its
times have been put into the reader's zone, and milliseconds until it can be used. The last lines say of
each target whether it is met; it returns how many are not.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen
from rich.console import Console
from rich.table import Table
from tests.integration.http.live import Live, serving
from tests.integration.portal.visiting import DESK, PHONE, Visitor, session_cookie

from daylily.adapters.system import utc_now
from daylily.domain.lifecycle import State
from daylily.testing.samples import a_workset

WORKSETS: Final = 10_000
MOST_BYTES: Final = 100_000
MOST_SHIFT: Final = 0.01
"""CLS; 0.1 is what is called good."""
CHROMIUM: Final = Path("/usr/bin/chromium")
_PAGES: Final = ("/portal/worksets", "/portal")

_SHIFTS: Final = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@frozen(kw_only=True)
class Cost:
    """What a page costs."""

    path: str
    size: str
    transferred: int
    """Bytes over the wire, headers and all."""
    shift: float
    usable_ms: float
    """Until the page's scripts have run."""


@contextmanager
def many(count: int) -> Iterator[Live]:
    """Serve so many worksets, of which some run."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as live:
        states = (State.COMPLETE, State.COMPLETE, State.ERROR, State.CANCELED)
        now = utc_now()
        for number in range(count):
            workset = a_workset(
                f"whole-genomes-of-family-{number:05}-k3x9",
                at=now - timedelta(minutes=10 * number),
                customer_id="local",
                name=f"Whole genomes of family {number}",
            )
            live.app.world.store.add(evolve(workset, state=states[number % len(states)]))
        yield live


def cost(browser: Any, live: Live, path: str, size: dict[str, int]) -> Cost:
    """Return what a page costs a browser that has nothing of it yet."""
    cookie = session_cookie(live.url)
    with Visitor.arriving(browser, live.url, cookie=cookie, viewport=size) as visitor:
        visitor.context.add_init_script(_SHIFTS)
        wire = visitor.context.new_cdp_session(visitor.page)
        received: list[float] = []
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        visitor.goes_to(path)
        page = visitor.page
        # Times are in the reader's zone: all that moves things by itself has happened.
        page.wait_for_function(
            "[...document.querySelectorAll('time')].every((t) => !t.textContent.includes('UTC'))"
        )
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        usable = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        shift = page.evaluate("window.shifted")
        name = "phone" if size == PHONE else "desk"
        return Cost(
            path=path,
            size=name,
            transferred=int(sum(received)),
            shift=round(shift, 4),
            usable_ms=round(usable),
        )


def main() -> int:
    """Print what pages cost; return how many targets are missed."""
    if not CHROMIUM.exists():
        print(f"there is no {CHROMIUM}: install it with `make engines`")
        return 0
    from playwright.sync_api import sync_playwright

    count = int(sys.argv[1]) if len(sys.argv) > 1 else WORKSETS
    with many(count) as live, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found = [cost(browser, live, path, size) for path in _PAGES for size in (DESK, PHONE)]
        browser.close()
    console = Console()
    table = Table(title=f"Pages of the portal over {count:,} worksets, nothing kept")
    for title in ("page", "screen", "kB over the wire", "CLS", "usable after ms"):
        table.add_column(title, justify="left" if title in {"page", "screen"} else "right")
    for each in found:
        kilobytes = f"{each.transferred / 1000:.1f}"
        table.add_row(each.path, each.size, kilobytes, f"{each.shift:.4f}", f"{each.usable_ms:.0f}")
    console.print(table)
    missed = 0
    for each in found:
        met = each.transferred < MOST_BYTES and each.shift <= MOST_SHIFT
        missed += not met
        target = f"{each.path} on a {each.size}: < {MOST_BYTES // 1000} kB, CLS <= {MOST_SHIFT}"
        print(f"{target}: {'met' if met else 'MISSED'}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
