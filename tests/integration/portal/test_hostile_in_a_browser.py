"""Names that look like code, in every field and every address: they are names, and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from attrs import evolve
from tests.integration.http.live import TOKEN, Live, serving
from tests.integration.portal.looking import inline_code
from tests.integration.portal.visiting import Visitor, session_cookie

from daylily.adapters.system import utc_now
from daylily.domain.customers import Customer
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.testing.samples import a_workset

pytestmark = pytest.mark.chromium

CORPUS: Final = (
    "<script>window.broken='script'</script>",
    '"><img src=x onerror="window.broken=\'img\'">',
    "' onmouseover='window.broken=1' autofocus onfocus='window.broken=1",
    "</title></textarea></pre><svg onload=window.broken='svg'>",
    "');window.broken='call';//",
    "`${window.broken='template'}`",
    "{{constructor.constructor('window.broken=1')()}}",
    "javascript:window.broken='url'",
    "<a href=javascript:window.broken=1>x</a><iframe srcdoc='<script>parent.broken=1</script>'>",
    "<div hx-get=/portal/fleet hx-trigger=load hx-on::load=window.broken=1>",
)
"""What breaks out of text, attributes, scripts, templates and htmx where any of them is careless."""
ALL: Final = " ".join(CORPUS)
KEY: Final = "".join(CORPUS).replace("/", "_")[:200]
"""As part of the name of an object: folders end at a slash."""
PARAMETERS: Final = (
    *("name", "state", "priority", "pipeline", "from", "to", "order", "after", "out", "folder", "key"),
    *("pick", "q", "at", "months", "attempt", "check", "customer", "code", "error", "kind"),
)
"""Whatever a page may take from its address."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service whose people have called everything by such names."""
    with serving(tmp_path_factory.mktemp("hostile")) as live:
        world, now = live.app.world, utc_now()
        samples = tuple(
            Sample(sample_id=each, pairs=(FastqPair(f"files/local/{KEY}_R1.fastq"),)) for each in CORPUS
        )
        manifest = Manifest(samples=samples, pipeline=ALL, reference_genome=ALL)
        failed = a_workset("ws-odd", at=now, customer_id="local", name=ALL, manifest=manifest)
        locked = failed.lock_for(ALL, at=now, timeout=timedelta(minutes=1))
        running = locked.launched(locked.fence, ALL, at=now)
        world.store.add(running.request_cancel(by=ALL, at=now, reason=ALL))
        for number, each in enumerate(CORPUS):
            world.store.add(a_workset(f"ws-{number:02}", at=now, customer_id="local", name=each))
        world.objects.put(f"worksets/ws-odd/results/attempt-1/{KEY}.html", ALL.encode())
        world.objects.put(f"worksets/ws-odd/results/attempt-1/{KEY}.tsv", ALL.encode())
        for each in (f"files/local/{KEY}_R1.fastq", f"files/local/{KEY}/{KEY}.csv"):
            world.objects.put(each, ALL.encode())
        own = world.customers.get("local")
        world.customers.save(own, evolve(own, name=ALL, cost_center=ALL, billing_account_id=ALL))
        world.customers.add(Customer(customer_id="odd", name=ALL, email=ALL))
        with httpx.Client(base_url=live.url, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            client.post("/api/customers/local/tokens", json={"name": CORPUS[0][:60], "scope": "read"})
        yield live


def looked_at(visitor: Visitor, path: str, most: int = 499) -> None:
    """Open an address, and see that nothing on it runs but what is ours."""
    answer = visitor.goes_to(path)
    assert answer.status <= most, (path, answer.status)
    page = visitor.page
    assert page.evaluate("window.broken") is None, path
    assert inline_code(page) == [], path
    strange = "img:not([src^='/portal/']), iframe[srcdoc], svg[onload], a[href^='javascript']"
    assert page.locator(strange).count() == 0, path
    visitor.expects_status(answer.status)


def test_d_48_stored_names_stay_names(hostile: Live, browser: Any) -> None:
    """Worksets, samples, files, folders, results, customers, tokens: none of their names runs."""
    cookie = session_cookie(hostile.url)
    key = quote(KEY, safe="")
    with Visitor.arriving(browser, hostile.url, cookie=cookie) as visitor:
        for path in (
            "/portal", "/portal/worksets", "/portal/worksets/ws-odd",
            "/portal/worksets/ws-00/cancel", "/portal/worksets/ws-odd/results",
            f"/portal/worksets/ws-odd/view/{key}.tsv", "/portal/worksets/ws-odd/inputs",
            "/portal/worksets/ws-odd/history", "/portal/worksets/ws-odd/audit",
            "/portal/files", f"/portal/files?folder={key}", f"/portal/files/look?key={key}_R1.fastq",
            f"/portal/files/delete?key={key}_R1.fastq", f"/portal/submit?pick={key}_R1.fastq",
            "/portal/usage", "/portal/account", "/portal/account/local/audit", "/portal/fleet",
            "/portal/fleet/ledger", "/portal/fleet/customers", "/portal/fleet/customers/odd",
        ):  # fmt: skip
            looked_at(visitor, path, most=200)
        page = visitor.page
        visitor.goes_to("/portal/worksets")
        for each in CORPUS:
            assert page.get_by_role("link", name=each, exact=True).count() == 1


def test_d_48_what_an_address_says_stays_text(hostile: Live, browser: Any) -> None:
    """Whatever stands in an address, no page runs it: neither its parameters nor its path."""
    cookie, said = session_cookie(hostile.url), quote(ALL, safe="")
    query = "&".join(f"{name}={said}" for name in PARAMETERS)
    with Visitor.arriving(browser, hostile.url, cookie=cookie) as visitor:
        for path in (
            "/portal/worksets", "/portal/worksets/ws-odd", "/portal/worksets/ws-odd/log",
            "/portal/worksets/ws-odd/results", "/portal/files", "/portal/files/look", "/portal/submit",
            "/portal/usage", "/portal/yaml", "/portal/account", "/portal/fleet/notices",
        ):  # fmt: skip
            looked_at(visitor, f"{path}?{query}")
        for path in (f"/portal/worksets/{said}", f"/portal/{said}", f"/portal/files/{said}"):
            looked_at(visitor, path)
    with Visitor.arriving(browser, hostile.url, cookie=None) as visitor:
        for path in ("/portal/login", "/portal/login/forgot", "/portal/login/back"):
            looked_at(visitor, f"{path}?{query}")


def test_d_47_names_of_files_reach_no_further(hostile: Live, browser: Any) -> None:
    """No name of a file leads to sentinels, to another's files, or to an error of ours."""
    hostile.app.world.objects.put("files/odd/secret.txt", b"of another")
    cookie = session_cookie(hostile.url)
    with Visitor.arriving(browser, hostile.url, cookie=cookie) as visitor:
        for key in (
            "../odd/secret.txt", "../../worksets/ws-odd/daylily.ready", "/etc/passwd", "a/../../b",
            "not-there.txt", "", "%00", "x" * 2000,
        ):  # fmt: skip
            for path in ("look", "download", "delete"):
                answer = visitor.context.request.get(
                    f"{hostile.url}/portal/files/{path}", params={"key": key}
                )
                assert 400 <= answer.status < 500, (path, key, answer.status)
                assert b"of another" not in answer.body()
