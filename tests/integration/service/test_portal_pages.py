"""The pages: what they show, what they lead to, and that no name can break out of them."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest
from tests.integration.service.door import csrf_of
from tests.integration.service.service import Service

from daylily.domain.manifest import FastqPair, Manifest, Sample
from daylily.domain.workset import Progress
from daylily.entrypoints.portal.look import ASSETS, TONES
from daylily.testing.samples import a_workset

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u202eevil\u202c",
)


class Page(HTMLParser):
    """What a browser makes of a page: its tags, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every tag of that name."""
        return [attributes for name, attributes in self.tags if name == tag]


def safe(answer: Any) -> Page:
    """Check that nothing on a page runs or comes from elsewhere; return it as a browser sees it."""
    assert "'unsafe" not in answer.headers["content-security-policy"]
    page = Page(answer.text)
    for tag, attributes in page.tags:
        assert tag not in {"style", "object", "embed", "base"}
        assert not any(name.startswith("on") or name == "style" for name in attributes), attributes
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#")), attributes
            assert not (attributes.get(name) or "").startswith("//")
    scripts = [str(script.get("src")) for script in page.all("script")]
    assert all(script.startswith("/portal/static/") for script in scripts), scripts
    assert not [image for image in page.all("img") if not str(image["src"]).startswith("/portal/")]
    return page


def test_empty(browser: Any) -> None:
    """Who has no workset yet is told how to come by one, and the page waits for it."""
    answer = browser.get("/portal/worksets")

    assert "No worksets yet" in answer.text
    assert "daylily submit" in answer.text
    assert 'data-live="yes"' in answer.text
    safe(answer)


def test_nothing_matches(browser: Any) -> None:
    """An empty choice is not taken for an empty house."""
    page = safe(browser.get("/portal/worksets?name=zzz&state=ready"))

    assert "No workset matches" in page.text
    assert any(option.get("value") == "ready" and "selected" in option for option in page.all("option"))


def test_list(service: Service, api: Any, browser: Any) -> None:
    """Each workset is shown with its state in a word, what it is, and where its own page is."""
    workset_id = service.launched(api, "Trio")
    service.compute.report(f"{workset_id}/1", Progress(1, 3, "NA12878"))
    service.app.cycle()

    page = safe(browser.get("/portal/worksets"))

    assert f"/portal/worksets/{workset_id}" in [link.get("href") for link in page.all("a")]
    for text in ("Trio", workset_id, "in progress", "fastq-qc", "normal", "1 of 3"):
        assert text in page.text
    assert {"max": "3", "value": "1"}.items() <= page.all("progress")[0].items()
    (time,) = page.all("time")
    assert time == {
        "datetime": "2025-06-02T12:00:00Z",
        "title": "2025-06-02 12:00:00 UTC",
        "data-to": "minute",
    }


def test_list_by_state_and_name_in_pages(service: Service, api: Any, browser: Any) -> None:
    """The address narrows the list, and the next page goes on under the same choice."""
    for number in range(51):
        workset = a_workset(f"ws-{number:03}", customer_id="local", name=f"Set {number:03}")
        service.app.world.store.add(workset)

    first = browser.get("/portal/worksets?name=set")
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = browser.get(older[1].replace("&amp;", "&"))

    assert (first.text.count("data-state="), second.text.count("data-state=")) == (50, 1)
    assert "Newest" in second.text
    assert browser.get("/portal/worksets?state=attention").text.count("data-state=") == 0
    assert browser.get("/portal/worksets?state=active").text.count("data-state=") == 50
    assert browser.get("/portal/worksets?cursor=junk").status_code == 400


def test_live_only_while_something_moves(service: Service, api: Any, browser: Any) -> None:
    """A page asks to be kept fresh as long as something may change: on the list, always."""
    workset_id = service.launched(api)
    paths = "/portal/live/worksets", f"/portal/live/worksets/{workset_id}"
    before = [browser.get(path).text for path in paths]
    service.ended(workset_id)
    after = [browser.get(path).text for path in paths]

    assert ['data-live="yes"' in text for text in before] == [True, True]
    assert ['data-live="no"' in text for text in after] == [False, True]
    assert not any("<html" in text for text in before + after)


def test_error_comes_first_with_what_to_do(service: Service, api: Any, browser: Any) -> None:
    """What went wrong stands above all else, with advice that fits the kind of failure."""
    workset_id = service.launched(api)
    service.ended(workset_id, exit_code=74, message="the disk was away\nreading NA12878")
    for _ in range(3):
        service.clock.advance(timedelta(hours=1))
        service.app.cycle()
        service.app.cycle()
        service.ended(workset_id, exit_code=74, message="the disk was away\nreading NA12878")

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))

    order = ["the disk was away", "What to do: Try it again", "reading NA12878", "Pipeline"]
    assert [page.text.index(text) for text in order] == sorted(page.text.index(text) for text in order)
    assert main_buttons(page) == [f"/portal/worksets/{workset_id}/retry"]
    links = [link.get("href") for link in page.all("a")]
    assert f"/portal/worksets/{workset_id}/retry" in links
    assert f"/portal/worksets/{workset_id}/cancel" not in links


def main_buttons(page: Page) -> list[str | None]:
    """Return where the buttons lead that a page has people press, the way back in apart."""
    found = [link["href"] for link in page.all("a") if link.get("class") == "button main"]
    # Every page has the dialog for who has been signed out meanwhile; it is closed until then.
    return [href for href in found if href != "/portal/login"]


def test_damaged_input_is_not_to_be_tried_again(service: Service, api: Any, browser: Any) -> None:
    """Who sent damaged files is told to mend them; a retry is possible, and nobody is led to it."""
    workset_id = service.launched(api)
    service.ended(workset_id, exit_code=65, message="sample NA12878: the file holds no reads")

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))
    question = safe(browser.get(f"/portal/worksets/{workset_id}/retry"))

    assert "What to do: Trying again cannot help: mend the files" in page.text
    assert f"/portal/worksets/{workset_id}/retry" in [link.get("href") for link in page.all("a")]
    assert main_buttons(page) == []
    assert "Retry all the same" in page.text
    assert "mend the files" in question.text
    assert main_buttons(question) == [f"/portal/worksets/{workset_id}"]
    buttons = [each for each in question.all("button") if "data-closes" not in each]
    assert [button.get("class") for button in buttons] == ["plain", None]


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_nobody_is_asked_what_cannot_be(service: Service, api: Any, browser: Any, action: str) -> None:
    """What has ended well is neither canceled nor tried again: the page says so at once."""
    workset_id = service.launched(api)
    service.ended(workset_id)

    answer = browser.get(f"/portal/worksets/{workset_id}/{action}")

    assert answer.status_code == 409
    assert "It is complete: " in safe(answer).text
    assert "Leave it as it is" not in answer.text


def test_a_retry_to_come_asks_for_nothing(service: Service, api: Any, browser: Any) -> None:
    """While a failed attempt is about to be tried again nobody is sent to do anything."""
    workset_id = service.launched(api)
    service.ended(workset_id, exit_code=75, message="the disk was away")

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))

    assert "Nothing needs to be done" in page.text
    assert "What to do" not in page.text


def test_what_happens_within_a_minute_is_told_apart(service: Service, api: Any, browser: Any) -> None:
    """Times of attempts and history are to the second, here as on the command line."""
    workset_id = service.launched(api)
    service.clock.advance(timedelta(seconds=7))
    service.ended(workset_id)

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))

    assert "2025-06-02 12:00:00 UTC" in page.text
    assert "2025-06-02 12:00:07 UTC" in page.text
    assert {time["data-to"] for time in page.all("time")} == {"second"}


def test_results_and_report(service: Service, api: Any, browser: Any) -> None:
    """Results are linked, and the report is shown in a frame that may do nothing."""
    workset_id = service.launched(api)
    service.result(workset_id, "report.html", b"<script>alert(1)</script>")
    service.result(workset_id, "a b/100%&'\".tsv", b"x")
    service.ended(workset_id)

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))
    (frame,) = page.all("iframe")
    links = [str(link["href"]) for link in page.all("a") if "?attempt=1" in str(link["href"])]
    links = [link for link in links if "/files/" in link or "/view/" in link or "in=" in link]

    assert frame["sandbox"] in {None, ""}
    report = browser.get(str(frame["src"]))
    assert "sandbox" in report.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in report.headers["content-security-policy"]
    assert [browser.get(link).status_code for link in links] == [200] * 3
    (saved,) = [link for link in links if "download=1" in link]
    assert browser.get(saved).headers["content-disposition"].startswith("attachment")


def test_log(service: Service, api: Any, browser: Any) -> None:
    """The end of the log is on the page, without what only a terminal understands, and can go on."""
    workset_id = service.launched(api)
    service.compute.write(f"{workset_id}/1", "".join(f"line {n}\n" for n in range(1000)))
    service.compute.write(f"{workset_id}/1", "\x1b[31mred\x1b[0m <b>\r\n\x00")

    page = browser.get(f"/portal/worksets/{workset_id}")
    (log,) = [attributes for attributes in Page(page.text).all("pre") if "data-log" in attributes]
    service.compute.write(f"{workset_id}/1", "\x1b[1mmore\n")
    more = browser.get(f"{log['data-log']}&offset={log['data-offset']}").json()

    assert "red &lt;b&gt;\n" in page.text
    assert "line 999\n" in page.text
    assert "line 1\n" not in page.text
    assert log["data-ended"] == "no"
    assert more["text"] == "more\n"


def test_an_engine_that_is_away_does_not_take_the_page_along(
    service: Service, api: Any, browser: Any
) -> None:
    """Without the engine there is no log; all that the store knows is still shown."""
    workset_id = service.launched(api)
    service.compute.go_down()

    answer = browser.get(f"/portal/worksets/{workset_id}")

    assert answer.status_code == 200
    assert "does not answer" in answer.text


def test_cancel_and_retry(service: Service, api: Any, browser: Any) -> None:
    """Nothing happens on a look; a confirmed form does it, and a second one is told it is too late."""
    workset_id = service.submitted(api)
    path = f"/portal/worksets/{workset_id}/cancel"
    question = browser.get(path)
    safe(question)
    assert service.app.world.store.get(workset_id).state == "ready"

    form = {"csrf": csrf_of(question)}
    done, again = browser.post(path, data=form), browser.post(path, data=form)

    assert (done.status_code, done.headers["location"]) == (303, f"/portal/worksets/{workset_id}")
    assert service.app.world.store.get(workset_id).state == "canceled"
    assert again.status_code == 409
    safe(again)

    failed = service.launched(api, "Second")
    service.ended(failed, exit_code=1)
    path = f"/portal/worksets/{failed}/retry"
    browser.post(path, data={"csrf": csrf_of(browser.get(path))})
    assert service.app.world.store.get(failed).state == "ready"


def test_failed_samples_in_the_portal(service: Service, api: Any, browser: Any) -> None:
    """The page tells the outcome of each sample, and a retry of those that failed can be ticked."""
    workset_id = service.launched(api)
    service.ended_in_part(workset_id)
    shown = browser.get(f"/portal/worksets/{workset_id}")
    safe(shown)
    assert "1 of 2 came out well" in shown.text
    assert "read 7 is &lt;b&gt;cut&lt;/b&gt;" in shown.text

    path = f"/portal/worksets/{workset_id}/retry"
    question = browser.get(path)
    assert "Only samples that have not come out well" in question.text
    browser.post(path, data={"csrf": csrf_of(question), "failed_samples": "yes"})
    assert service.app.world.store.get(workset_id).retry_only == ("NA2",)


def test_forms_without_their_token_do_nothing(service: Service, api: Any, browser: Any) -> None:
    """Cancel and retry need the token of the session, whatever else is right."""
    workset_id = service.submitted(api)
    path = f"/portal/worksets/{workset_id}/cancel"

    for form in ({"csrf": ""}, {"csrf": "x" * 43}, {"csrf": "é"}):
        assert browser.post(path, data=form).status_code == 403
    headers = {"sec-fetch-site": "cross-site"}
    right = {"csrf": csrf_of(browser.get(path))}
    assert browser.post(path, data=right, headers=headers).status_code == 403
    assert service.app.world.store.get(workset_id).state == "ready"


def test_problems_are_pages(browser: Any) -> None:
    """What is not there is told on a page that leads back, with the id of the request."""
    for path in (
        "/portal/worksets/ws-unknown", "/portal/nope", "/portal/worksets/ws-1/delete",
        "/portal/worksets/ws-1/cancel", "/portal/worksets/ws-1/files/a", "/portal/static/nope.css",
    ):  # fmt: skip
        answer = browser.get(path)
        assert answer.status_code == 404, path
        page = safe(answer)
        assert answer.headers["x-request-id"] in page.text
        assert "/portal" in [link.get("href") for link in page.all("a")]
    assert browser.put("/portal").status_code == 405


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(service: Service, browser: Any, api: Any, name: str) -> None:
    """Names of worksets, samples, files and people are shown as they are, and are nothing else."""
    pairs = (FastqPair(f"sample_data/{name}_R1.fastq"),)
    manifest = Manifest(samples=(Sample(sample_id=name, pairs=pairs),), pipeline=name)
    workset = a_workset("ws-odd", customer_id="local", name=name, manifest=manifest)
    store, at = service.app.world.store, service.clock()
    locked = workset.lock_for(name, at=at, timeout=timedelta(minutes=1))
    running = locked.launched(locked.fence, name, at=at)
    store.add(running.request_cancel(by=name, at=at, reason=name))
    odd = a_workset(
        "ws-late", at=service.clock() + timedelta(seconds=1), customer_id="local", name=name
    )
    store.add(odd)

    pages = [
        browser.get(path)
        for path in (
            "/portal/worksets", "/portal/live/worksets", "/portal/worksets/ws-odd",
            "/portal/worksets/ws-late", "/portal/live/worksets/ws-odd",
            "/portal/worksets/ws-late/cancel",
        )
    ]  # fmt: skip
    pages.append(browser.get("/portal/worksets", params={"name": name, "state": name}))

    for answer in pages:
        page = safe(answer)
        assert name in page.text or name in str(page.tags)


def test_hostile_results_stay_text(service: Service, api: Any, browser: Any) -> None:
    """Whatever a pipeline calls its files, their links are links to them."""
    workset_id = service.launched(api)
    names = [name.replace("/", "_") for name in HOSTILE]
    for name in names:
        service.result(workset_id, f"{name}.html", b"x")
    service.ended(workset_id)

    page = safe(browser.get(f"/portal/worksets/{workset_id}"))

    for name in names:
        assert f"{name}.html" in page.text
    links = [str(link["href"]) for link in page.all("a") if "/files/" in str(link["href"])]
    assert {browser.get(link).status_code for link in links} == {200}


def test_assets(service: Service, browser: Any) -> None:
    """Pages name each asset with its version, so that it can be kept for long."""
    service.app.world.store.add(a_workset("ws-1", customer_id="local"))
    pages = ("", "worksets", "worksets/ws-1", "submit", "files", "yaml", "usage")
    text = "".join(browser.get(f"/portal/{path}").text for path in pages)

    for name, asset in ASSETS.items():
        path = f"/portal/static/{name}?v={asset.version}"
        assert path in text
        answer = browser.get(path)
        assert answer.content == asset.content
        assert "immutable" in answer.headers["cache-control"]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG has it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
def test_contrast(theme: int) -> None:
    """Text is at 4.5 to 1 or more on all it stands on, edges of controls at 3 to 1, light and dark."""
    css = ASSETS["portal.css"].content.decode()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", block))
    texts = [(ink, card) for ink in ("ink", "soft", "link") for card in ("page", "card", "quiet-card")]
    texts += [(tone, f"{tone}-card") for tone in ("good", "run", "warn", "bad")]
    texts += [("on-main", "main"), ("danger", "card"), ("ink", "bad-card"), ("ink", "warn-card")]

    def ratio(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    assert {pair: round(ratio(*pair), 2) for pair in texts if ratio(*pair) < 4.5} == {}
    assert {card for card in ("page", "card") if ratio("edge", card) < 3} == set()
    assert set(TONES.values()) <= {"waiting", "running", "good", "warning", "bad"}


def test_what_is_not_ours_comes_with_its_licence() -> None:
    """Of htmx the version and the licence stand beside it, in the package."""
    folder = resources.files("daylily.entrypoints.portal").joinpath("static")
    assert "Zero-Clause BSD" in folder.joinpath("htmx.LICENSE").read_text("utf-8")
    version = re.search(r'version:"([\d.]+)"', ASSETS["htmx.min.js"].content.decode())
    assert version
    assert f"htmx {version[1]} " in folder.joinpath("README.md").read_text("utf-8")
