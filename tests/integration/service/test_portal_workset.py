"""The rooms of a workset's page: its log, its results, its inputs, its story, and what may be done."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import anyio
from attrs import define, evolve
from tests.integration.service.door import csrf_of, sign_in
from tests.integration.service.service import Service
from tests.integration.service.test_portal_pages import HOSTILE, Page, safe

from daylily.domain.customers import Principal, Role
from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.workset import Progress
from daylily.entrypoints.portal import workset_log
from daylily.entrypoints.portal.workset_page import rings
from daylily.testing.samples import a_workset

ROOMS = (
    "",
    "/log",
    "/log.txt",
    "/results",
    "/inputs",
    "/history",
    "/audit",
    "/view/a.txt",
    "/files/a.txt",
)
ACTIONS = ("cancel", "retry", "priority", "archive", "restore")
LIVE = ("", "/log", "/why", "/events")


def act(browser: Any, workset_id: str, action: str, **form: str) -> Any:
    """Confirm an action on its page."""
    path = f"/portal/worksets/{workset_id}/{action}"
    return browser.post(path, data={"csrf": csrf_of(browser.get(path)), **form})


def offered(page: Page, workset_id: str) -> list[str]:
    """Return what the page of a workset leads to do."""
    links = [str(link["href"]).rpartition("/") for link in page.all("a")]
    return [name for place, _, name in links if place.endswith(workset_id) and name in ACTIONS]


# What may be done


def test_what_may_be_done_goes_with_the_state(service: Service, api: Any, browser: Any) -> None:
    """Each state offers what can be done to it, and nothing that would be refused."""
    waiting = service.submitted(api, "Waiting")
    where = f"/portal/worksets/{waiting}"
    assert offered(safe(browser.get(where)), waiting) == ["cancel", "priority"]
    service.app.cycle()
    assert offered(safe(browser.get(where)), waiting) == ["cancel"]
    service.ended(waiting, exit_code=1)
    assert offered(safe(browser.get(where)), waiting) == ["retry", "priority", "archive"]
    act(browser, waiting, "archive", reason="a mistake")
    assert offered(safe(browser.get(where)), waiting) == ["restore"]
    assert "a mistake" in browser.get(where).text
    act(browser, waiting, "restore")
    assert service.app.world.store.get(waiting).state is State.ERROR


def test_a_priority_has_its_price(service: Service, api: Any, browser: Any) -> None:
    """The question tells what each would cost, and the answer changes state and estimate."""
    workset_id = service.submitted(api)
    question = safe(browser.get(f"/portal/worksets/{workset_id}/priority"))
    choices = [each for each in question.all("input") if each["name"] == "priority"]
    assert [(each["value"], "checked" in each) for each in choices] == [
        ("urgent", False), ("normal", True), ("low", False),
    ]  # fmt: skip
    assert question.text.count("about $") == 3

    assert act(browser, workset_id, "priority", priority="urgent").status_code == 303
    assert service.app.world.store.get(workset_id).priority == "urgent"
    assert act(browser, workset_id, "priority", priority="high").status_code == 422
    assert act(browser, workset_id, "priority").status_code == 422


def test_a_reason_is_one_line(service: Service, api: Any, browser: Any) -> None:
    """It goes into the history as it was given; what would break a line of it is refused."""
    workset_id = service.submitted(api)
    assert act(browser, workset_id, "cancel", reason="one\ntwo").status_code == 422
    assert act(browser, workset_id, "cancel", reason="x" * 501).status_code == 422
    assert act(browser, workset_id, "cancel", reason="wrong <b>sheet</b>").status_code == 303
    assert "wrong &lt;b&gt;sheet&lt;/b&gt;" in browser.get(f"/portal/worksets/{workset_id}").text


def test_who_may_only_read_is_offered_nothing(service: Service, api: Any) -> None:
    """A token that only reads opens the page, and its forms are refused."""
    workset_id = service.submitted(api)
    made = api.post("/api/customers/local/tokens", json={"name": "r", "scope": "read"}).json()
    with service.client(None) as reader:
        sign_in(reader, made["token"])
        page = safe(reader.get(f"/portal/worksets/{workset_id}"))
        assert offered(page, workset_id) == []
        refused = reader.post(f"/portal/worksets/{workset_id}/cancel", data={"csrf": "x"})
    assert refused.status_code == 403
    assert service.app.world.store.get(workset_id).state is State.READY


def test_what_is_done_goes_into_the_customers_trail(service: Service, browser: Any) -> None:
    """Under the name of the operation, whoever does it, whatever becomes of it."""
    service.app.world.store.add(a_workset("ws-1"))
    act(browser, "ws-1", "cancel")
    service.clock.advance(timedelta(seconds=1))
    form = {"csrf": csrf_of(browser.get("/portal/worksets"))}
    assert browser.post("/portal/worksets/ws-1/cancel", data=form).status_code == 409
    root = Principal(name="root", customer_id="local", operator=True)

    told = service.app.audit.list(root, "acme").items

    assert [(each.actor, each.action, each.outcome) for each in told] == [
        ("admin", "cancelWorkset", "409"),
        ("admin", "cancelWorkset", "303"),
    ]
    page = safe(browser.get("/portal/worksets/ws-1/audit"))
    assert page.text.count("cancelWorkset") == 2


def test_another_tenant_gets_nothing(service: Service, api: Any) -> None:
    """Not a page, not a log, not a result, not a stream; and nothing that it sends does anything."""
    workset_id = service.launched(api)
    service.result(workset_id, "a.txt", b"x")
    with service.client(None) as eve:
        sign_in(eve, service.person("eve@evil.example", "acme", Role.ADMIN))
        form = {"csrf": csrf_of(eve.get("/portal/worksets"))}
        for room in ROOMS:
            assert eve.get(f"/portal/worksets/{workset_id}{room}").status_code == 404, room
        for room in LIVE:
            assert eve.get(f"/portal/live/worksets/{workset_id}{room}").status_code == 404, room
        for action in ACTIONS:
            path = f"/portal/worksets/{workset_id}/{action}"
            assert eve.get(path).status_code == 404
            assert eve.post(path, data=form).status_code == 404
    assert service.app.world.store.get(workset_id).state is State.IN_PROGRESS


def test_a_member_reads_no_trail(service: Service, api: Any) -> None:
    """Who is no admin of the customer is not led to the audit trail, nor let in."""
    workset_id = service.submitted(api)
    with service.client(None) as ada:
        sign_in(ada, service.person("ada@acme.example"))
        page = safe(ada.get(f"/portal/worksets/{workset_id}"))
        assert f"/portal/worksets/{workset_id}/audit" not in [each["href"] for each in page.all("a")]
        assert ada.get(f"/portal/worksets/{workset_id}/audit").status_code == 403
        # Nor is told to start monitors.
        assert "Tell those who run this service." in page.text


# Why, how far, what it cost


def test_why_it_waits(service: Service, api: Any, browser: Any) -> None:
    """In a sentence, on the page and for lists that ask for it."""
    service.launched(api, "First")
    service.launched(api, "Second")
    third = service.submitted(api, "Third")
    for path in (f"/portal/worksets/{third}", f"/portal/live/worksets/{third}/why"):
        assert (
            "number 1 in the queue, and waits for a free slot: 2 of 2 are taken"
            in browser.get(path).text
        )
    assert "<html" not in browser.get(f"/portal/live/worksets/{third}/why").text


def test_progress_and_cost(service: Service, api: Any, browser: Any) -> None:
    """Samples that failed come first, and what was said is set against what is known."""
    workset_id = service.launched(api)
    service.compute.report(f"{workset_id}/1", Progress(1, 2, "NA1"))
    service.app.cycle()
    assert "1 of 2: NA1" in safe(browser.get(f"/portal/worksets/{workset_id}")).text.replace("\n", " ")
    service.clock.advance(timedelta(hours=1))
    service.ended_in_part(workset_id)

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))

    assert page.text.index("NA2") < page.text.index("NA1")
    assert "1 failed" in page.text
    assert "$0.03" in page.text  # an hour of one vCPU


def test_what_nothing_is_heard_of(service: Service, api: Any, browser: Any) -> None:
    """While the engine is silent the page says so, and since when, rather than call it running."""
    workset_id = service.launched(api)
    store = service.app.world.store
    store.save(store.get(workset_id).with_unknown(service.clock()))
    text = safe(browser.get(f"/portal/worksets/{workset_id}")).text
    assert "Nothing has been heard of the running attempt since 2025-06-02 12:00:00 UTC" in text


# The log


def test_search_in_the_log(service: Service, api: Any, browser: Any, monkeypatch: Any) -> None:
    """Lines anywhere in it, with their numbers, marked; what a chunk cuts in two is found, too."""
    workset_id = service.launched(api)
    filler = "x" * 99 + "\n"
    long = filler * 655 + "y" * 30 + "needle-in-two" + "\n" + filler + "<b>NEEDLE</b> \x1b[31mred\n"
    service.compute.write(f"{workset_id}/1", long)

    page = safe(browser.get(f"/portal/worksets/{workset_id}/log?q=needle"))

    assert "2 lines with needle" in page.text.replace("\n", " ")
    assert [each for each in page.tags if each[0] == "mark"] == [("mark", {})] * 2
    assert "<b>NEEDLE</b> red" in page.text
    assert ">656</a>" in browser.get(f"/portal/worksets/{workset_id}/log?q=needle").text
    nothing = safe(browser.get(f"/portal/worksets/{workset_id}/log?q=%3Cscript%3E"))
    assert "0 lines with <script>" in nothing.text.replace("\n", " ")

    monkeypatch.setattr(workset_log, "SEARCHED", 1)
    part = safe(browser.get(f"/portal/worksets/{workset_id}/log?q=needle"))
    (further,) = [
        str(a["href"]) for a in part.all("a") if "&at=" in str(a["href"]) and "q=" in str(a["href"])
    ]
    rest = safe(browser.get(further))
    assert "needle-in-two" in rest.text


def test_long_logs(service: Service, api: Any, browser: Any, monkeypatch: Any) -> None:
    """The end is the end, however long it is; and one can read on from any part of it."""
    monkeypatch.setattr(workset_log, "FROM_THE_START", 6)
    workset_id = service.launched(api)
    lines = "".join(f"line {number:07}\n" for number in range(150_000))
    service.compute.write(f"{workset_id}/1", lines)

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))
    assert "line 0149999\n" in page.text
    assert "line 0000001\n" not in page.text
    assert "These are the last lines" in page.text
    start = safe(browser.get(f"/portal/worksets/{workset_id}/log?at=0"))
    assert "line 0000000\n" in start.text
    (later,) = [str(a["href"]) for a in start.all("a") if a.get("rel") == "next"]
    assert "Earlier" in safe(browser.get(later)).text
    whole = browser.get(f"/portal/worksets/{workset_id}/log.txt")
    assert whole.text == lines
    assert whole.headers["content-disposition"].startswith("attachment")


def test_no_log_and_no_engine(service: Service, api: Any, browser: Any) -> None:
    """Before anything is written, and while the engine is away, the pages say so."""
    workset_id = service.submitted(api)
    log = f"/portal/worksets/{workset_id}/log"
    assert "Nothing has been written yet" in safe(browser.get(log)).text
    assert browser.get(f"{log}.txt").status_code == 404
    service.app.cycle()
    service.compute.go_down()
    for query in ("", "?q=x", "?at=0"):
        assert "The engine does not answer" in safe(browser.get(log + query)).text
    assert browser.get(f"{log}.txt").status_code == 503


# Results


LOOKS = {
    "notes.txt": (b"one <b>\n\x1b[31m", "pre", "one <b>"),
    "qc.tsv": (b"sample\treads\n=A1\t<i>7</i>\n", "table", "<i>7</i>"),
    "qc.csv": (b'a,b\n"x,y",2\n', "table", "x,y"),
    "odd.csv": (b'a,b\n"x\n', "pre", '"x'),
    "one.tsv": (b"lonely\n", "pre", "lonely"),
    "empty.tsv": (b"", "p", "The file is empty"),
    "plot.png": (b"\x89PNG", "img", "Download"),
    "report.html": (b"<script>alert(1)</script>", "iframe", "Download"),
    "plot.svg": (b"<svg onload='alert(1)'/>", "iframe", "Download"),
    "a.bam": (b"\x00\x01\x02", "p", "cannot be shown here"),
}
"""Files, their content, and the tag and the text by which a page shows it."""


def test_a_look_into_a_file(service: Service, api: Any, browser: Any) -> None:
    """Text, tables, pictures and reports are shown on a page; what they hold is nothing else."""
    workset_id = service.launched(api)
    for key, (content, tag, text) in LOOKS.items():
        service.result(workset_id, f"S 1/{key}", content)

        page = safe(browser.get(f"/portal/worksets/{workset_id}/view/S%201/{key}?attempt=1"))

        assert text in page.text, key
        assert page.all(tag), key
        assert all("sandbox" in frame for frame in page.all("iframe"))
        assert f"/portal/worksets/{workset_id}/results?attempt=1&in=S+1%2F" in [
            link["href"] for link in page.all("a")
        ]


def test_no_number_is_cut(service: Service, api: Any, browser: Any) -> None:
    """What went wrong is cut between words, and what names the place stays, wherever it stands."""
    workset_id = service.launched(api)
    message = f"/data/{'x' * 180}/reads_R1.fastq.gz: record 1000 of {'many ' * 60}"
    service.ended(workset_id, exit_code=65, message=message)

    for room in (f"/portal/worksets/{workset_id}", "/portal/fleet"):
        text = " ".join(safe(browser.get(room)).text.split())
        assert "record 1000 of many" in text, room
        assert "many..." in text, room


def test_paths_of_the_server_are_the_operators(service: Service, api: Any, browser: Any) -> None:
    """Operators are told where results are; customers are told of places in S3 alone."""
    workset_id = service.launched(api)
    service.result(workset_id, "a.txt", b"12")
    where = f"/portal/worksets/{workset_id}"
    with service.client(None) as ada:
        sign_in(ada, service.person("ada@acme.example"))
        theirs = safe(ada.get(where)).text
    assert "They are in" in safe(browser.get(where)).text
    assert ("They are in" in theirs, "One file" in theirs) == (False, True)


def test_folders(service: Service, api: Any, browser: Any) -> None:
    """Each folder stands once, with what is in it, and the way back is there; others are not found."""
    workset_id = service.launched(api)
    for key in ("S1/a.txt", "S1/deep/b.txt", "S2/c.txt", "z.txt"):
        service.result(workset_id, key, b"12")
    where = f"/portal/worksets/{workset_id}/results"

    top, inside = safe(browser.get(where)), safe(browser.get(f"{where}?in=S1/"))

    assert [top.text.index(name) for name in ("S1/", "S2/", "z.txt")] == sorted(
        top.text.index(name) for name in ("S1/", "S2/", "z.txt")
    )
    assert "2 files, 4 B" in top.text
    assert "deep/" in inside.text
    assert "z.txt" not in inside.text
    assert browser.get(f"{where}?in=S").status_code == 404
    assert browser.get(f"{where}?in=../").status_code == 404
    assert "No results" in browser.get(f"/portal/worksets/{service.submitted(api)}/results").text


def test_hostile_words_in_every_room(service: Service, api: Any, browser: Any) -> None:
    """Names of files and folders, lines of logs and reasons are text, wherever they stand."""
    store = service.app.world.store
    for name in HOSTILE:
        key = name.replace("/", "_")
        pairs = (FastqPair(f"sample_data/{key}_R1.fastq"),)
        manifest = Manifest(samples=(Sample(sample_id=name, pairs=pairs),), pipeline="fastq-qc")
        workset_id = service.launched(api)
        store.save(evolve(store.get(workset_id), name=name, manifest=manifest, tags=(name,)))
        service.result(workset_id, f"{key}/{key}.txt", name.encode())
        service.compute.write(f"{workset_id}/1", f"{name}\n")
        service.ended(workset_id, exit_code=1, message=f"{name}\n{name}")
        folder = quote(key, safe="")

        for room in (
            *("", "/log", f"/log?q={quote(name)}", "/log?at=0", "/results", f"/results?in={folder}/"),
            *("/inputs", "/history", "/audit", f"/view/{folder}/{folder}.txt"),
            *("/retry", "/priority", "/archive"),
        ):
            answer = browser.get(f"/portal/worksets/{workset_id}{room}")
            assert answer.status_code == 200, room
            page = safe(answer)
            assert name in page.text or name in str(page.tags), room


# Inputs


def test_seals(service: Service, api: Any, browser: Any) -> None:
    """Sizes and seals stand there; whether they hold is looked up when somebody asks."""
    workset_id = service.submitted(api)
    where = f"/portal/worksets/{workset_id}/inputs"
    assert "Compare the files with their seals" in safe(browser.get(where)).text
    assert "as they were when they were sealed" in safe(browser.get(f"{where}?check=yes")).text
    service.app.world.objects.put(f"worksets/{workset_id}/sample_data/a_R1.fastq", b"another")
    assert "Files have changed" in safe(browser.get(f"{where}?check=yes")).text
    store = service.app.world.store
    many = tuple(
        Sample(sample_id=f"S{n}", pairs=(FastqPair(f"sample_data/{n}.fastq"),)) for n in range(150)
    )
    store.save(evolve(store.get(workset_id), manifest=Manifest(samples=many, pipeline="fastq-qc")))
    page = safe(browser.get(f"{where}?from=100"))
    assert "no seals" in page.text
    assert "Samples 101 to 150 of 150" in page.text


# The story


def test_all_of_a_history(service: Service, api: Any, browser: Any, monkeypatch: Any) -> None:
    """In pages, latest first, each step with who did it."""
    monkeypatch.setattr("daylily.entrypoints.portal.workset_story.STEPS", 2)
    workset_id = service.launched(api)
    service.ended(workset_id)
    page = safe(browser.get(f"/portal/worksets/{workset_id}/history"))
    (earlier,) = [str(link["href"]) for link in page.all("a") if link.get("rel") == "next"]
    assert "attempt 1 complete" in page.text
    assert "Initial registration" in safe(browser.get(earlier)).text


@define
class Door:
    """A desk that knows what it is to say of somebody."""

    found: list[object]

    def session(self, _: object) -> object:
        """See Desk.session."""
        told = self.found.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


def test_the_bell_is_silent_for_who_is_signed_out() -> None:
    """Whoever signs out, or cannot be told to be there any more, hears nothing from then on."""

    async def told() -> AsyncIterator[bytes]:
        while True:
            yield b'event: log\nid: 1.1.1\ndata: {"text": "secret"}\n\n'

    async def heard(*found: object) -> list[bytes]:
        told_of: Any = Door([*found])
        return [event async for event in rings(told(), told_of, told_of)]

    once = b"event: log\nid: 1.1.1\ndata: {}\n\n"
    assert anyio.run(heard, "somebody", "somebody", None) == [once, once]
    assert anyio.run(heard, "somebody", UnavailableError("the pool is away")) == [once]


def test_the_bell(service: Service, api: Any, browser: Any) -> None:
    """It rings for whatever has happened since a page was made, and ends with its workset."""
    workset_id = service.launched(api)
    page = safe(browser.get(f"/portal/worksets/{workset_id}"))
    (address,) = [attributes["data-bell"] for _, attributes in page.tags if "data-bell" in attributes]
    service.compute.write(f"{workset_id}/1", "secret line\n")
    service.ended(workset_id)

    rung = browser.get(str(address)).text

    assert [line for line in rung.split("\n") if line.startswith("event:")] == [
        "event: state", "event: log", "event: end",
    ]  # fmt: skip
    assert {line for line in rung.split("\n") if line.startswith("data:")} == {"data: {}"}
    assert "data-bell" not in browser.get(f"/portal/worksets/{workset_id}").text
    assert browser.get(f"/portal/live/worksets/{workset_id}/events?after=junk").status_code == 422
